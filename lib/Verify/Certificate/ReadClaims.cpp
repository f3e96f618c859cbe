//===- ReadClaims.cpp - Certificates as JSON ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Claims.h"

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "llvm/ADT/Twine.h"

using namespace mirage::certificate;
using mirage::mugraph::ScalarFunction;
namespace json = llvm::json;

/// Formulas inside formulas; deeper ones would not fit the stack.
static constexpr unsigned maxDepth = 200;
static constexpr int64_t maxSize = int64_t{1} << 40;

namespace {

/// One entry of the list of nodes.
struct Node {
  enum class Kind { Formula, Factor, Exponential, Condition, Masked };
  Kind kind = Kind::Formula;
  FormulaRef formula; ///< also the operand of Exponential and Masked
  Factor factor;
  Conditions where; ///< of Condition and Masked
  unsigned depth = 0;
};

class ClaimReader {
public:
  explicit ClaimReader(Algebra &algebra) : algebra(algebra) {}

  bool read(const json::Object &certificate, Claims &claims);
  std::string error;

private:
  bool fail(const llvm::Twine &what);
  bool readLabels(const json::Object &certificate);
  bool readDigits(const json::Value *value, Digits &digits);
  bool readLists(const json::Value *value, std::vector<Digits> &lists);
  bool readIndex(const json::Value *value, Index &index);
  bool readRead(const json::Object &object, Factor &factor);
  bool readCondition(const json::Object &object, int64_t extent, Node &node);
  bool readMasked(const json::Object &object, const json::Value &where,
                  Node &node);
  bool readCase(const json::Value &value, Case &entry);
  /// The last two of `size` entries are a fraction.
  bool readFraction(const json::Array &list, size_t size, Fraction &result);
  bool readNode(const json::Object &object);
  bool readFormula(const json::Array &terms, Node &node);
  bool readTerm(const json::Object &object, Node &node, Term &term);
  bool readScale(const json::Object &object, Scalar &scale);
  bool readFactor(const json::Array &entry, Node &node, Term &term);
  bool readApply(const json::Object &object, llvm::StringRef name, Node &node);
  bool readExtremum(const json::Object &object, const json::Value &of,
                    Factor::Kind kind, Node &node);
  const Node *findNode(const json::Value *value, Node &user);
  FormulaRef findFormula(const json::Value *value, Node &user);
  bool readClaim(const json::Value &value, Claim &claim);
  bool readClaims(const json::Array *array, std::vector<Claim> &claims);
  bool readProgram(const json::Object *object, ProgramClaims &claims);

  Algebra &algebra;
  std::vector<Node> nodes;
  size_t numLabels = 0;
};

} // namespace

bool ClaimReader::fail(const llvm::Twine &what) {
  if (error.empty())
    error = what.str();
  return false;
}

//===----------------------------------------------------------------------===//
// Labels and numbers
//===----------------------------------------------------------------------===//

bool ClaimReader::readLabels(const json::Object &certificate) {
  const json::Array *labels = certificate.getArray("labels");
  if (!labels)
    return fail("it has no list 'labels'");
  for (const json::Value &size : *labels) {
    std::optional<int64_t> number = size.getAsInteger();
    if (!number || *number < 2 || *number > maxSize)
      return fail("label #" + llvm::Twine(numLabels) +
                  " has no size, expected a number of at least 2");
    algebra.addLabel(*number);
    ++numLabels;
  }
  return true;
}

bool ClaimReader::readDigits(const json::Value *value, Digits &digits) {
  const json::Array *array = value ? value->getAsArray() : nullptr;
  if (!array)
    return fail("a list of labels is missing");
  for (const json::Value &entry : *array) {
    std::optional<int64_t> label = entry.getAsInteger();
    if (!label || *label < 0 || *label >= int64_t(numLabels))
      return fail("a list of labels names one that does not exist");
    if (llvm::is_contained(digits, Label(*label)))
      return fail("a list of labels names one twice");
    digits.push_back(*label);
  }
  return true;
}

bool ClaimReader::readLists(const json::Value *value,
                            std::vector<Digits> &lists) {
  const json::Array *array = value ? value->getAsArray() : nullptr;
  if (!array)
    return fail("a list of indices is missing");
  for (const json::Value &entry : *array)
    if (!readDigits(&entry, lists.emplace_back()))
      return false;
  return true;
}

/// The offset, then label and stride of each digit.
bool ClaimReader::readIndex(const json::Value *value, Index &index) {
  const json::Array *array = value ? value->getAsArray() : nullptr;
  if (!array || array->size() % 2 != 1)
    return fail("an index is missing");
  std::vector<int64_t> numbers;
  for (const json::Value &entry : *array) {
    std::optional<int64_t> number = entry.getAsInteger();
    if (!number || std::abs(*number) > maxSize)
      return fail("an index is not of numbers");
    numbers.push_back(*number);
  }
  index.offset = numbers.front();
  for (size_t i = 1; i < numbers.size(); i += 2) {
    if (numbers[i] < 0 || numbers[i] >= int64_t(numLabels) ||
        numbers[i + 1] < 1)
      return fail("an index names a label that does not exist, or a stride");
    algebra.addTo(index, Index{0, {{Label(numbers[i]), 1}}}, numbers[i + 1]);
  }
  return true;
}

bool ClaimReader::readFraction(const json::Array &list, size_t size,
                               Fraction &result) {
  std::optional<int64_t> num, den;
  if (list.size() == size) {
    num = list[size - 2].getAsInteger();
    den = list[size - 1].getAsInteger();
  }
  if (!num || !den || *den <= 0)
    return fail("a number is not written as numerator and denominator");
  result = reduce(Fraction(*num, *den));
  return true;
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

const Node *ClaimReader::findNode(const json::Value *value, Node &user) {
  std::optional<int64_t> number;
  if (value)
    number = value->getAsInteger();
  if (!number || *number < 0 || *number >= int64_t(nodes.size())) {
    fail("node #" + llvm::Twine(nodes.size()) + " does not name earlier ones");
    return nullptr;
  }
  const Node &node = nodes[*number];
  user.depth = std::max(user.depth, node.depth + 1);
  if (user.depth > maxDepth) {
    fail("its formulas are nested too deeply");
    return nullptr;
  }
  return &node;
}

FormulaRef ClaimReader::findFormula(const json::Value *value, Node &user) {
  const Node *node = findNode(value, user);
  if (node && node->kind != Node::Kind::Formula)
    fail("node #" + llvm::Twine(nodes.size()) + " uses what is no formula");
  return node && error.empty() ? node->formula : nullptr;
}

static std::optional<ScalarFunction> findFunction(llvm::StringRef name) {
  for (unsigned number = 0; number <= unsigned(ScalarFunction::Erf); ++number)
    if (stringify(ScalarFunction(number)) == name)
      return ScalarFunction(number);
  return std::nullopt;
}

bool ClaimReader::readApply(const json::Object &object, llvm::StringRef name,
                            Node &node) {
  std::optional<ScalarFunction> function = findFunction(name);
  const json::Array *operands = object.getArray("to");
  bool isExtremum =
      function == ScalarFunction::Max || function == ScalarFunction::Min;
  if (!function || !operands || operands->size() < (isExtremum ? 2 : 1))
    return fail("an unknown function, or one without operands");
  for (const json::Value &operand : *operands) {
    FormulaRef formula = findFormula(&operand, node);
    if (!formula)
      return false;
    node.factor.operands.push_back(std::move(formula));
  }
  node.kind = Node::Kind::Factor;
  node.factor.kind = Factor::Kind::Apply;
  node.factor.symbol = unsigned(*function);
  node.factor.isCommutative = isExtremum;
  if (*function != ScalarFunction::Exp)
    return true;
  node.kind = Node::Kind::Exponential;
  node.formula = node.factor.operands.front();
  return operands->size() == 1 || fail("exp of several operands");
}

bool ClaimReader::readExtremum(const json::Object &object,
                               const json::Value &of, Factor::Kind kind,
                               Node &node) {
  Digits over;
  Conditions where;
  const Node *operand = findNode(&of, node);
  if (!operand || !readDigits(object.get("over"), over))
    return false;
  bool isMasked = operand->kind == Node::Kind::Masked;
  if (!isMasked && operand->kind != Node::Kind::Formula)
    return fail("a maximum of what is no formula");
  Formula extremum =
      algebra.extremum(kind, *operand->formula, over, operand->where);
  if (extremum.terms.size() != 1 || extremum.terms[0].factors.size() != 1)
    return fail("a maximum over labels that its operand does not have");
  node.kind = Node::Kind::Factor;
  node.factor = extremum.terms[0].factors[0];
  return true;
}

bool ClaimReader::readRead(const json::Object &object, Factor &factor) {
  const json::Array *indices = object.getArray("at");
  if (!indices)
    return fail("a list of indices is missing");
  for (const json::Value &index : *indices)
    if (!readIndex(&index, factor.at.emplace_back()))
      return false;
  return true;
}

bool ClaimReader::readCondition(const json::Object &object, int64_t extent,
                                Node &node) {
  Below condition;
  node.kind = Node::Kind::Condition;
  condition.extent = extent;
  if (extent < 1 || extent > maxSize ||
      !readIndex(object.get("at"), condition.at))
    return fail("a condition without an index");
  return algebra.conjoin(node.where, condition) ||
         fail("condition #" + llvm::Twine(nodes.size()) +
              " is one that nothing meets");
}

bool ClaimReader::readMasked(const json::Object &object,
                             const json::Value &where, Node &node) {
  const Node *condition = findNode(&where, node);
  const Node *operand = findNode(object.get("take"), node);
  if (!condition || !operand || condition->kind != Node::Kind::Condition ||
      (operand->kind != Node::Kind::Formula &&
       operand->kind != Node::Kind::Masked))
    return fail("a condition that is none");
  node.kind = Node::Kind::Masked;
  node.formula = operand->formula;
  node.where = operand->where;
  return algebra.conjoin(node.where, condition->where) ||
         fail("conditions that nothing meets");
}

bool ClaimReader::readNode(const json::Object &object) {
  Node node;
  bool isRead = false;
  node.kind = Node::Kind::Factor;
  if (const json::Array *terms = object.getArray("terms")) {
    isRead = readFormula(*terms, node);
  } else if (std::optional<int64_t> number = object.getInteger("read")) {
    node.factor.symbol = *number;
    isRead = readRead(object, node.factor);
  } else if (std::optional<int64_t> extent = object.getInteger("below")) {
    isRead = readCondition(object, *extent, node);
  } else if (std::optional<llvm::StringRef> name = object.getString("apply")) {
    isRead = readApply(object, *name, node);
  } else if (const json::Value *where = object.get("where")) {
    isRead = readMasked(object, *where, node);
  } else if (const json::Value *inside = object.get("group")) {
    FormulaRef formula = findFormula(inside, node);
    isRead = formula != nullptr;
    node.factor.kind = Factor::Kind::Group;
    node.factor.operands.push_back(std::move(formula));
  } else if (const json::Value *of = object.get("max")) {
    isRead = readExtremum(object, *of, Factor::Kind::Max, node);
  } else if (const json::Value *of = object.get("min")) {
    isRead = readExtremum(object, *of, Factor::Kind::Min, node);
  }
  nodes.push_back(std::move(node));
  return isRead ||
         fail("node #" + llvm::Twine(nodes.size() - 1) + " is of no kind");
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

bool ClaimReader::readScale(const json::Object &object, Scalar &scale) {
  const json::Array *pair = object.getArray("scale");
  if (!pair || !readFraction(*pair, 2, scale.rational) || scale.isZero())
    return fail("a term without a scale other than 0");
  const json::Array *roots = object.getArray("roots");
  for (const json::Value &entry : roots ? *roots : json::Array()) {
    const json::Array *root = entry.getAsArray();
    std::optional<int64_t> base;
    if (root && !root->empty())
      base = root->front().getAsInteger();
    Fraction exponent;
    if (!base || *base <= 0 || !readFraction(*root, 3, exponent))
      return fail("a root is not of the form [base, numerator, denominator]");
    scale.roots.push_back({Fraction(*base), exponent});
  }
  return true;
}

bool ClaimReader::readFactor(const json::Array &entry, Node &node, Term &term) {
  Fraction exponent;
  const Node *used = entry.empty() ? nullptr : findNode(&entry[0], node);
  if (!used || !readFraction(entry, 3, exponent))
    return fail("a factor is not of the form [node, numerator, denominator]");
  switch (used->kind) {
  case Node::Kind::Factor:
    term.factors.push_back(used->factor);
    term.factors.back().exponent = used->factor.exponent * exponent;
    return true;
  case Node::Kind::Exponential: {
    Formula part = Algebra::scale(*used->formula, exponent);
    if (term.exponent)
      part = Algebra::add(*term.exponent, part);
    term.exponent = share(std::move(part));
    return true;
  }
  case Node::Kind::Condition:
    return (exponent == Fraction(1) &&
            algebra.conjoin(term.where, used->where)) ||
           fail("conditions that nothing meets, or that are no factors");
  case Node::Kind::Formula:
  case Node::Kind::Masked:
    break;
  }
  return fail("a factor that is none");
}

bool ClaimReader::readTerm(const json::Object &object, Node &node, Term &term) {
  const json::Array *factors = object.getArray("factors");
  if (!factors || !readScale(object, term.scale) ||
      !readDigits(object.get("over"), term.over))
    return fail("a term lacks scale, over or factors");
  for (const json::Value &entry : *factors) {
    const json::Array *factor = entry.getAsArray();
    if (!factor || !readFactor(*factor, node, term))
      return fail("a factor is not a list");
  }
  term = algebra.renameBound(std::move(term));
  return true;
}

bool ClaimReader::readFormula(const json::Array &terms, Node &node) {
  node.kind = Node::Kind::Formula;
  Formula formula;
  for (const json::Value &entry : terms) {
    const json::Object *object = entry.getAsObject();
    if (!object || !readTerm(*object, node, formula.terms.emplace_back()))
      return fail("a term is not an object");
  }
  node.formula = share(std::move(formula));
  return algebra.isValid() || fail(algebra.problem);
}

//===----------------------------------------------------------------------===//
// Claims
//===----------------------------------------------------------------------===//

bool ClaimReader::readCase(const json::Value &value, Case &entry) {
  const json::Object *object = value.getAsObject();
  const json::Array *where = object ? object->getArray("where") : nullptr;
  if (!where)
    return fail("a case has no list of conditions");
  Node user;
  for (const json::Value &number : *where) {
    const Node *condition = findNode(&number, user);
    if (!condition || condition->kind != Node::Kind::Condition ||
        !algebra.conjoin(entry.where, condition->where))
      return fail("a case has a condition that is none or that nothing meets");
  }
  FormulaRef formula = findFormula(object->get("is"), user);
  if (formula)
    entry.element = *formula;
  return formula != nullptr;
}

bool ClaimReader::readClaim(const json::Value &value, Claim &claim) {
  const json::Object *object = value.getAsObject();
  const json::Array *cases = object ? object->getArray("cases") : nullptr;
  if (!cases || !readLists(object->get("dims"), claim.dims))
    return fail("a claim has no dims or cases");
  for (const json::Value &entry : *cases)
    if (!readCase(entry, claim.cases.emplace_back()))
      return false;
  return true;
}

bool ClaimReader::readClaims(const json::Array *array,
                             std::vector<Claim> &claims) {
  if (!array)
    return fail("a list of claims is missing");
  for (const json::Value &value : *array)
    if (!readClaim(value, claims.emplace_back()))
      return false;
  return true;
}

bool ClaimReader::readProgram(const json::Object *object,
                              ProgramClaims &claims) {
  const json::Array *graphs = object ? object->getArray("graphs") : nullptr;
  if (!graphs)
    return fail("the claims on a program are missing");
  for (const json::Value &value : *graphs) {
    const json::Object *graph = value.getAsObject();
    IndexDigits &digits = claims.graphs.emplace_back();
    if (!graph || !readLists(graph->get("grid"), digits.grid) ||
        !readLists(graph->get("loops"), digits.loops))
      return fail("a block graph has no grid or loops");
  }
  return readClaims(object->getArray("values"), claims.values);
}

bool ClaimReader::read(const json::Object &certificate, Claims &claims) {
  const json::Array *list = certificate.getArray("nodes");
  if (!list)
    return fail("it has no list 'nodes'");
  if (!readLabels(certificate))
    return false;
  for (const json::Value &value : *list) {
    const json::Object *object = value.getAsObject();
    if (!object || !readNode(*object))
      return fail("a node is not an object");
  }
  return readProgram(certificate.getObject("spec"), claims.spec) &&
         readProgram(certificate.getObject("candidate"), claims.candidate) &&
         readClaims(certificate.getArray("results"), claims.results);
}

llvm::Expected<Claims>
mirage::certificate::readClaims(const json::Object &certificate,
                                Algebra &algebra) {
  ClaimReader reader(algebra);
  Claims claims;
  if (!reader.read(certificate, claims))
    return llvm::createStringError("it cannot be read: " + reader.error);
  return claims;
}
