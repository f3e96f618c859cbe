//===- Npy.cpp - NumPy's array files --------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>

using namespace mirage::runtime;
using llvm::Twine;

static constexpr llvm::StringLiteral magic = "\x93NUMPY";

static llvm::Error makeError(const Twine &message) {
  return llvm::createStringError(message);
}

namespace {
/// The dictionary at the head of a file.
struct Header {
  std::string descr;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t> shape;
  size_t dataOffset = 0;
};

/// Reads the one Python literal that a header is:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
public:
  HeaderParser(llvm::StringRef text, Header &header)
      : rest(text), header(header) {}

  /// False if the text is no such dictionary or lacks an entry.
  bool parse() {
    if (!consume("{"))
      return false;
    bool seenDescr = false, seenOrder = false, seenShape = false;
    while (!consume("}")) {
      std::optional<llvm::StringRef> key = parseString();
      if (!key || !consume(":"))
        return false;
      if (*key == "descr")
        seenDescr = parseDescr();
      else if (*key == "fortran_order")
        seenOrder = parseOrder();
      else if (*key == "shape")
        seenShape = parseShape();
      else
        return false;
      if (!consume(",") && !rest.ltrim().starts_with("}"))
        return false;
    }
    return seenDescr && seenOrder && seenShape && rest.trim().empty();
  }

private:
  bool consume(llvm::StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  std::optional<llvm::StringRef> parseString() {
    rest = rest.ltrim();
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
      return std::nullopt;
    size_t end = rest.find(rest.front(), 1);
    if (end == llvm::StringRef::npos)
      return std::nullopt;
    llvm::StringRef text = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return text;
  }

  bool parseDescr() {
    std::optional<llvm::StringRef> text = parseString();
    if (text)
      header.descr = text->str();
    return text.has_value();
  }

  bool parseOrder() {
    header.fortranOrder = consume("True");
    return header.fortranOrder || consume("False");
  }

  bool parseShape() {
    if (!consume("("))
      return false;
    while (!consume(")")) {
      uint64_t extent;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, extent) || extent > (uint64_t{1} << 48))
        return false;
      header.shape.push_back(static_cast<int64_t>(extent));
      if (!consume(",") && !rest.ltrim().starts_with(")"))
        return false;
    }
    return true;
  }

  llvm::StringRef rest;
  Header &header;
};
} // namespace

static llvm::Expected<Header> parseHeader(llvm::StringRef bytes,
                                          llvm::StringRef name) {
  if (!bytes.starts_with(magic) || bytes.size() < 10)
    return makeError(name + ": not a .npy file (it does not start as one)");
  unsigned version = static_cast<uint8_t>(bytes[6]);
  if (version < 1 || version > 3)
    return makeError(name + ": .npy version " + Twine(version) +
                     ", expected 1, 2 or 3");
  size_t lengthBytes = version == 1 ? 2 : 4;
  if (bytes.size() < 8 + lengthBytes)
    return makeError(name + ": truncated in the header");
  size_t length = version == 1
                      ? llvm::support::endian::read16le(bytes.data() + 8)
                      : llvm::support::endian::read32le(bytes.data() + 8);
  Header header;
  header.dataOffset = 8 + lengthBytes + length;
  if (header.dataOffset > bytes.size())
    return makeError(name + ": truncated: the header has " + Twine(length) +
                     " bytes, the file " + Twine(bytes.size()));
  if (!HeaderParser(bytes.substr(8 + lengthBytes, length), header).parse())
    return makeError(name + ": malformed .npy header");
  return header;
}

/// The element type that a file of type `descr` has where `wanted` is asked
/// for, or nothing where the one is no stand-in for the other.
static std::optional<ElementKind> fileKind(llvm::StringRef descr,
                                           ElementKind wanted) {
  if (descr.size() < 3 || !llvm::is_contained("<|=", descr.front()))
    return std::nullopt;
  llvm::StringRef code = descr.drop_front();
  if (code == "V2" || code == "u2")
    return wanted == ElementKind::BF16 ? std::optional(wanted) : std::nullopt;
  if (code == "V1" || code == "u1")
    return wanted == ElementKind::F8E4M3FN || wanted == ElementKind::F8E5M2
               ? std::optional(wanted)
               : std::nullopt;
  static const std::pair<llvm::StringLiteral, ElementKind> kinds[] = {
      {"f2", ElementKind::F16}, {"f4", ElementKind::F32},
      {"f8", ElementKind::F64}, {"b1", ElementKind::Bool},
      {"i1", ElementKind::I8},  {"i2", ElementKind::I16},
      {"i4", ElementKind::I32}, {"i8", ElementKind::I64}};
  for (const auto &[name, kind] : kinds)
    if (code == name && (isFloat(wanted) || !isFloat(kind)))
      return kind;
  return std::nullopt;
}

/// The offset in a column-major array of each element in row-major order.
static int64_t columnMajorOffset(int64_t index, llvm::ArrayRef<int64_t> shape) {
  int64_t size = 1, offset = 0;
  for (int64_t extent : shape)
    size *= extent;
  int64_t stride = size;
  for (int64_t extent : llvm::reverse(shape)) {
    stride /= extent;
    offset += index % extent * stride;
    index /= extent;
  }
  return offset;
}

static HostTensor toRowMajor(const HostTensor &columns) {
  HostTensor rows(columns.kind(), columns.shape());
  unsigned bytes = elementBytes(columns.kind());
  for (int64_t i = 0, e = columns.size(); i < e; ++i)
    std::copy_n(columns.data() + columnMajorOffset(i, columns.shape()) * bytes,
                bytes, rows.data() + i * bytes);
  return rows;
}

llvm::Expected<HostTensor>
mirage::runtime::parseNpy(llvm::StringRef bytes, llvm::StringRef name,
                          ElementKind kind, llvm::ArrayRef<int64_t> shape) {
  llvm::Expected<Header> header = parseHeader(bytes, name);
  if (!header)
    return header.takeError();
  std::optional<ElementKind> stored = fileKind(header->descr, kind);
  if (!stored)
    return makeError(name + ": element type '" + header->descr +
                     "' cannot be read as " + elementName(kind));
  if (llvm::ArrayRef<int64_t>(header->shape) != shape)
    return makeError(name + ": expected shape " + formatShape(shape) +
                     ", got " + formatShape(header->shape));
  HostTensor tensor(*stored, shape);
  llvm::StringRef data = bytes.drop_front(header->dataOffset);
  if (data.size() != tensor.byteSize())
    return makeError(name + ": expected " + Twine(tensor.byteSize()) +
                     " bytes of data for shape " + formatShape(shape) +
                     ", got " + Twine(data.size()));
  std::copy(data.begin(), data.end(), tensor.data());
  if (header->fortranOrder)
    tensor = toRowMajor(tensor);
  return tensor.convert(kind);
}

llvm::Expected<HostTensor>
mirage::runtime::readNpy(llvm::StringRef path, ElementKind kind,
                         llvm::ArrayRef<int64_t> shape) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("cannot read " + path + ": " +
                     buffer.getError().message());
  return parseNpy((*buffer)->getBuffer(), path, kind, shape);
}

static llvm::StringRef descrOf(ElementKind kind) {
  switch (kind) {
  case ElementKind::F8E4M3FN:
  case ElementKind::F8E5M2:
    return "|V1";
  case ElementKind::F16:
    return "<f2";
  case ElementKind::BF16:
    return "<V2";
  case ElementKind::F32:
    return "<f4";
  case ElementKind::F64:
    return "<f8";
  case ElementKind::Bool:
    return "|b1";
  case ElementKind::I8:
    return "|i1";
  case ElementKind::I16:
    return "<i2";
  case ElementKind::I32:
    return "<i4";
  case ElementKind::I64:
    return "<i8";
  }
  llvm_unreachable("unknown element kind");
}

llvm::Error mirage::runtime::writeNpy(llvm::StringRef path,
                                      const HostTensor &tensor) {
  std::string dictionary = "{'descr': '" + descrOf(tensor.kind()).str() +
                           "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : tensor.shape())
    dictionary += std::to_string(extent) + ", ";
  dictionary += "), }";
  // The data starts at a multiple of 64 bytes; a line break ends the header.
  constexpr size_t fixedBytes = 10;
  size_t total = llvm::alignTo(fixedBytes + dictionary.size() + 1, 64);
  dictionary.append(total - fixedBytes - dictionary.size() - 1, ' ');
  dictionary += '\n';
  return llvm::writeToOutput(path, [&](llvm::raw_ostream &stream) {
    char length[2];
    llvm::support::endian::write16le(length,
                                     static_cast<uint16_t>(dictionary.size()));
    stream << magic << '\x01' << '\x00' << llvm::StringRef(length, 2)
           << dictionary << llvm::StringRef(tensor.data(), tensor.byteSize());
    return llvm::Error::success();
  });
}
