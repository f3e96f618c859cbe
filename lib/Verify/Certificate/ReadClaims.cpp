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

using Numbers = std::vector<int64_t>;

/// Formulas inside formulas; deeper ones would not fit the stack.
static constexpr unsigned maxDepth = 200;
static constexpr int64_t maxSize = int64_t{1} << 40;

namespace {

/// One entry of the list of nodes.
struct Node {
  enum class Kind { Formula, Factor, Condition };
  Kind kind = Kind::Factor;
  FormulaRef formula;
  Factor factor;
  Conditions condition;
  unsigned depth = 0;
};

class ClaimReader {
public:
  explicit ClaimReader(Algebra &algebra) : algebra(algebra) {}

  bool read(const json::Object &certificate, Claims &claims);
  std::string error;

private:
  bool fail(const llvm::Twine &what);

  // Members of objects: lists, lists of lists and objects.
  template <typename List>
  bool readList(const json::Object &object, llvm::StringRef name, List &list);
  bool readDigits(const json::Object &object, llvm::StringRef name,
                  Digits &digits);
  bool readDims(const json::Object &object, llvm::StringRef name,
                std::vector<Digits> &dims);
  bool forEachObject(const json::Object &object, llvm::StringRef name,
                     llvm::function_ref<bool(const json::Object &)> read);

  // What numbers stand for.
  bool isLabel(int64_t number) const {
    return number >= 0 && number < numLabels;
  }
  bool toDigits(const Numbers &numbers, Digits &digits);
  bool toIndex(const Numbers &numbers, Index &index);
  bool toFraction(llvm::ArrayRef<int64_t> pair, Fraction &result);
  const Node *findNode(std::optional<int64_t> number, Node &user);
  FormulaRef findFormula(std::optional<int64_t> number, Node &user);
  /// Adds the condition that a node is to others.
  bool addCondition(int64_t number, Node &user, Conditions &conditions);
  bool readConditions(const json::Object &object, Node &user,
                      Conditions &conditions);

  bool readNode(const json::Object &object);
  bool readRead(const json::Object &object, Node &node);
  bool readBelow(const json::Object &object, Node &node);
  bool readApply(const json::Object &object, Node &node);
  bool readGroup(const json::Object &object, Node &node);
  bool readMaximum(const json::Object &object, Node &node);
  bool readTerms(const json::Object &object, Node &node);
  bool readTerm(const json::Object &object, Node &node, Term &term);
  bool readFactor(const Numbers &numbers, Node &node, Term &term);
  bool readClaims(const json::Object &object, llvm::StringRef name,
                  std::vector<Claim> &claims);
  bool readProgram(const json::Object *object, ProgramClaims &claims);

  Algebra &algebra;
  std::vector<Node> nodes;
  int64_t numLabels = 0;
};

} // namespace

bool ClaimReader::fail(const llvm::Twine &what) {
  if (error.empty())
    error = what.str();
  return false;
}

//===----------------------------------------------------------------------===//
// Members of objects
//===----------------------------------------------------------------------===//

template <typename List>
bool ClaimReader::readList(const json::Object &object, llvm::StringRef name,
                           List &list) {
  json::Path::Root root;
  const json::Value *value = object.get(name);
  return (value && json::fromJSON(*value, list, root)) ||
         fail("'" + name + "' is missing, or no list of numbers");
}

bool ClaimReader::readDigits(const json::Object &object, llvm::StringRef name,
                             Digits &digits) {
  Numbers numbers;
  return readList(object, name, numbers) && toDigits(numbers, digits);
}

bool ClaimReader::readDims(const json::Object &object, llvm::StringRef name,
                           std::vector<Digits> &dims) {
  std::vector<Numbers> lists;
  return readList(object, name, lists) &&
         llvm::all_of(lists, [&](const Numbers &numbers) {
           return toDigits(numbers, dims.emplace_back());
         });
}

bool ClaimReader::forEachObject(
    const json::Object &object, llvm::StringRef name,
    llvm::function_ref<bool(const json::Object &)> read) {
  const json::Array *array = object.getArray(name);
  return (array && llvm::all_of(*array,
                                [&](const json::Value &value) {
                                  const json::Object *entry =
                                      value.getAsObject();
                                  return entry && read(*entry);
                                })) ||
         fail("'" + name + "' is no list of objects");
}

//===----------------------------------------------------------------------===//
// What numbers stand for
//===----------------------------------------------------------------------===//

bool ClaimReader::toDigits(const Numbers &numbers, Digits &digits) {
  for (int64_t number : numbers) {
    if (!isLabel(number) || llvm::is_contained(digits, Label(number)))
      return fail("a list of labels names one twice, or one that does not "
                  "exist");
    digits.push_back(number);
  }
  return true;
}

/// The offset, then label and stride of each digit.
bool ClaimReader::toIndex(const Numbers &numbers, Index &index) {
  bool isIndex =
      numbers.size() % 2 == 1 && llvm::all_of(numbers, [](int64_t number) {
        return number >= -maxSize && number <= maxSize;
      });
  if (!isIndex)
    return fail("an index is no offset with labels and strides");
  index.offset = numbers.front();
  for (size_t i = 1; i < numbers.size(); i += 2) {
    if (!isLabel(numbers[i]) || numbers[i + 1] < 1)
      return fail("an index names a label that does not exist, or a stride");
    algebra.addTo(index, Index{0, {{Label(numbers[i]), 1}}}, numbers[i + 1]);
  }
  return true;
}

bool ClaimReader::toFraction(llvm::ArrayRef<int64_t> pair, Fraction &result) {
  if (pair.size() != 2 || pair[1] <= 0)
    return fail("a number is not written as numerator and denominator");
  result = reduce(Fraction(pair[0], pair[1]));
  return true;
}

const Node *ClaimReader::findNode(std::optional<int64_t> number, Node &user) {
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

FormulaRef ClaimReader::findFormula(std::optional<int64_t> number, Node &user) {
  const Node *node = findNode(number, user);
  if (node && node->kind == Node::Kind::Formula)
    return node->formula;
  fail("node #" + llvm::Twine(nodes.size()) + " uses what is no formula");
  return nullptr;
}

bool ClaimReader::addCondition(int64_t number, Node &user,
                               Conditions &conditions) {
  const Node *node = findNode(number, user);
  return (node && node->kind == Node::Kind::Condition &&
          algebra.conjoin(conditions, node->condition)) ||
         fail("a condition that is none, or conditions that nothing meets");
}

bool ClaimReader::readConditions(const json::Object &object, Node &user,
                                 Conditions &conditions) {
  Numbers where;
  return readList(object, "where", where) &&
         llvm::all_of(where, [&](int64_t number) {
           return addCondition(number, user, conditions);
         });
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static std::optional<ScalarFunction> findFunction(llvm::StringRef name) {
  for (unsigned number = 0; number <= unsigned(ScalarFunction::Erf); ++number)
    if (stringify(ScalarFunction(number)) == name)
      return ScalarFunction(number);
  return std::nullopt;
}

bool ClaimReader::readRead(const json::Object &object, Node &node) {
  std::vector<Numbers> indices;
  node.factor.symbol = object.getInteger("read").value_or(-1);
  return readList(object, "at", indices) &&
         llvm::all_of(indices, [&](const Numbers &numbers) {
           return toIndex(numbers, node.factor.at.emplace_back());
         });
}

bool ClaimReader::readBelow(const json::Object &object, Node &node) {
  Below condition;
  Numbers numbers;
  node.kind = Node::Kind::Condition;
  condition.extent = object.getInteger("below").value_or(0);
  return readList(object, "at", numbers) && toIndex(numbers, condition.at) &&
         ((condition.extent >= 1 && condition.extent <= maxSize &&
           algebra.conjoin(node.condition, condition)) ||
          fail("a condition that nothing meets"));
}

bool ClaimReader::readApply(const json::Object &object, Node &node) {
  std::optional<ScalarFunction> function =
      findFunction(object.getString("apply").value_or(""));
  Numbers operands;
  if (!readList(object, "to", operands))
    return false;
  for (int64_t operand : operands)
    if (FormulaRef formula = findFormula(operand, node))
      node.factor.operands.push_back(std::move(formula));
    else
      return false;
  if (!function || operands.empty())
    return fail("an unknown function, or one without operands");
  bool isOne = operands.size() == 1;
  switch (*function) {
  case ScalarFunction::Exp:
    node.factor.kind = Factor::Kind::Exp;
    return isOne || fail("exp of several operands");
  case ScalarFunction::Max:
    node.factor.kind = Factor::Kind::Max;
    return !isOne || fail("a maximum of one");
  default:
    node.factor.kind = Factor::Kind::Apply;
    node.factor.symbol = unsigned(*function);
    return true;
  }
}

bool ClaimReader::readGroup(const json::Object &object, Node &node) {
  FormulaRef formula = findFormula(object.getInteger("group"), node);
  node.factor.kind = Factor::Kind::Group;
  node.factor.operands.push_back(formula);
  return formula != nullptr;
}

bool ClaimReader::readMaximum(const json::Object &object, Node &node) {
  FormulaRef operand = findFormula(object.getInteger("max"), node);
  Digits over;
  Conditions where;
  if (!operand || !readDigits(object, "over", over) ||
      !readConditions(object, node, where))
    return false;
  Formula maximum = algebra.maximum(*operand, over, std::move(where));
  if (const Factor *factor = onlyFactor(maximum))
    node.factor = *factor;
  return onlyFactor(maximum) ||
         fail("a maximum over labels that its operand does not have");
}

bool ClaimReader::readNode(const json::Object &object) {
  using Reader = bool (ClaimReader::*)(const json::Object &, Node &);
  static constexpr std::pair<const char *, Reader> readers[] = {
      {"terms", &ClaimReader::readTerms}, {"read", &ClaimReader::readRead},
      {"below", &ClaimReader::readBelow}, {"apply", &ClaimReader::readApply},
      {"group", &ClaimReader::readGroup}, {"max", &ClaimReader::readMaximum}};
  for (auto [name, read] : readers) {
    if (!object.get(name))
      continue;
    Node node;
    if (!(this->*read)(object, node))
      return false;
    nodes.push_back(std::move(node));
    return algebra.isValid() || fail(algebra.problem);
  }
  return fail("node #" + llvm::Twine(nodes.size()) + " is of no kind");
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

bool ClaimReader::readFactor(const Numbers &numbers, Node &node, Term &term) {
  Fraction exponent;
  if (numbers.size() != 3 ||
      !toFraction(llvm::ArrayRef(numbers).drop_front(), exponent))
    return fail("a factor is not of the form [node, numerator, denominator]");
  const Node *used = findNode(numbers.front(), node);
  if (!used)
    return false;
  if (used->kind == Node::Kind::Condition)
    return (exponent == Fraction(1) || fail("a power of a condition")) &&
           addCondition(numbers.front(), node, term.where);
  if (used->kind == Node::Kind::Formula)
    return fail("a factor that is none");
  Factor &factor = term.factors.emplace_back(used->factor);
  if (factor.kind == Factor::Kind::Exp)
    factor.operands = {
        share(Algebra::scale(*factor.operands.front(), exponent))};
  else
    factor.exponent = factor.exponent * exponent;
  return true;
}

bool ClaimReader::readTerm(const json::Object &object, Node &node, Term &term) {
  Numbers scale;
  std::vector<Numbers> roots, factors;
  if (!object.get("scale") || !object.get("over") || !object.get("factors"))
    return fail("a term lacks scale, over or factors");
  if (!readList(object, "scale", scale) ||
      !toFraction(scale, term.scale.rational) ||
      !readDigits(object, "over", term.over) ||
      !readList(object, "factors", factors) ||
      (object.get("roots") && !readList(object, "roots", roots)))
    return false;
  if (term.scale.isZero())
    return fail("a term of scale 0");
  for (const Numbers &root : roots) {
    Fraction exponent;
    if (root.size() != 3 || root.front() <= 0 ||
        !toFraction(llvm::ArrayRef(root).drop_front(), exponent))
      return fail("a root is not of the form [base, numerator, denominator]");
    term.scale.roots.push_back({Fraction(root.front()), exponent});
  }
  for (const Numbers &factor : factors)
    if (!readFactor(factor, node, term))
      return false;
  Algebra::joinExponentials(term.factors);
  term = algebra.renameBound(std::move(term));
  return true;
}

bool ClaimReader::readTerms(const json::Object &object, Node &node) {
  node.kind = Node::Kind::Formula;
  Formula formula;
  bool isRead = forEachObject(object, "terms", [&](const json::Object &term) {
    return readTerm(term, node, formula.terms.emplace_back());
  });
  node.formula = share(std::move(formula));
  return isRead;
}

//===----------------------------------------------------------------------===//
// Claims
//===----------------------------------------------------------------------===//

bool ClaimReader::readClaims(const json::Object &object, llvm::StringRef name,
                             std::vector<Claim> &claims) {
  auto readCase = [&](const json::Object &entry) {
    Case &result = claims.back().cases.emplace_back();
    Node user;
    FormulaRef formula = findFormula(entry.getInteger("is"), user);
    if (formula)
      result.element = *formula;
    return formula && readConditions(entry, user, result.where);
  };
  return forEachObject(object, name, [&](const json::Object &claim) {
    return readDims(claim, "dims", claims.emplace_back().dims) &&
           forEachObject(claim, "cases", readCase);
  });
}

bool ClaimReader::readProgram(const json::Object *object,
                              ProgramClaims &claims) {
  if (!object)
    return fail("the claims on a program are missing");
  return forEachObject(*object, "graphs",
                       [&](const json::Object &graph) {
                         IndexDigits &digits = claims.graphs.emplace_back();
                         return readDims(graph, "grid", digits.grid) &&
                                readDims(graph, "loops", digits.loops);
                       }) &&
         readClaims(*object, "values", claims.values);
}

bool ClaimReader::read(const json::Object &certificate, Claims &claims) {
  Numbers labels;
  if (!readList(certificate, "labels", labels))
    return false;
  for (int64_t size : labels) {
    if (size < 2 || size > maxSize)
      return fail("label #" + llvm::Twine(numLabels) +
                  " has no size, expected a number of at least 2");
    algebra.addLabel(size);
    ++numLabels;
  }
  return forEachObject(
             certificate, "nodes",
             [&](const json::Object &object) { return readNode(object); }) &&
         readProgram(certificate.getObject("spec"), claims.spec) &&
         readProgram(certificate.getObject("candidate"), claims.candidate) &&
         readClaims(certificate, "results", claims.results);
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
