//===- HostModule.cpp - Kernels as a module for the host ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostModule.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage::sim;

static bool isKernel(LLVM::LLVMFuncOp function) {
  return function->hasAttr(NVVM::NVVMDialect::getKernelFuncAttrName()) ||
         function->hasAttr(ROCDL::ROCDLDialect::getKernelFuncAttrName()) ||
         function->hasAttr(gpu::GPUDialect::getKernelFuncAttrName());
}

namespace {
/// Builds the host module in the order of the members' names.
class HostModuleBuilder {
public:
  HostModuleBuilder(gpu::GPUModuleOp source, const mirage::TargetDescription &t,
                    const SimulatorOptions &options, HostModule &result)
      : source(source), result(result),
        rewriter(*result.module, result.sites, t, options) {
    addLLVMRules(rules);
    addNVVMRules(rules);
    addROCDLRules(rules);
  }

  LogicalResult run();

private:
  LogicalResult copyMembers();
  LogicalResult placeGlobal(LLVM::GlobalOp global);
  LogicalResult addKernel(LLVM::LLVMFuncOp function);
  void addThreadArgument(LLVM::LLVMFuncOp function);
  void addEntry(LLVM::LLVMFuncOp function, const KernelSignature &signature);
  LogicalResult rewriteOperation(Operation *op);
  LogicalResult rewriteAddressOf(LLVM::AddressOfOp op);
  LogicalResult rewriteCall(LLVM::CallOp op);
  void removeAddressSpaces();

  gpu::GPUModuleOp source;
  HostModule &result;
  HostRewriter rewriter;
  RuleTable rules;
  SmallVector<LLVM::LLVMFuncOp> functions;
  llvm::StringMap<uint64_t> sharedOffsets; ///< of globals in shared memory.
  SmallVector<LLVM::GlobalOp> dynamicShared;
};
} // namespace

LogicalResult HostModuleBuilder::copyMembers() {
  OpBuilder builder = OpBuilder::atBlockEnd(result.module->getBody());
  for (Operation &member : source.getBody()->getOperations()) {
    if (auto global = dyn_cast<LLVM::GlobalOp>(member)) {
      if (failed(placeGlobal(global)))
        return failure();
      if (!sharedOffsets.contains(global.getSymName()))
        builder.clone(member);
      continue;
    }
    auto function = dyn_cast<LLVM::LLVMFuncOp>(member);
    if (!function) {
      if (member.hasTrait<OpTrait::IsTerminator>())
        continue;
      return member.emitError("the simulator runs llvm.func kernels, found '")
             << member.getName()
             << "' in the gpu.module; lower it to the LLVM dialect first";
    }
    // Calls of functions without a body are diagnosed where they are.
    if (function.isExternal())
      continue;
    functions.push_back(cast<LLVM::LLVMFuncOp>(builder.clone(member)));
  }
  for (LLVM::GlobalOp global : dynamicShared)
    result.staticSharedBytes = llvm::alignTo(
        result.staticSharedBytes, global.getAlignment().value_or(16));
  for (LLVM::GlobalOp global : dynamicShared)
    sharedOffsets[global.getSymName()] = result.staticSharedBytes;
  return success();
}

LogicalResult HostModuleBuilder::placeGlobal(LLVM::GlobalOp global) {
  if (global.getAddrSpace() == 1)
    return global.emitError("the simulator has no global variables in global "
                            "memory; pass '@")
           << global.getSymName() << "' as a kernel argument";
  if (global.getAddrSpace() != 3)
    return success();
  uint64_t bytes = storageBytes(global.getGlobalType());
  sharedOffsets[global.getSymName()] = 0;
  if (bytes == 0) { // its size comes with the launch
    dynamicShared.push_back(global);
    return success();
  }
  uint64_t alignment =
      global.getAlignment().value_or(naturalAlignment(global.getGlobalType()));
  uint64_t offset = llvm::alignTo(result.staticSharedBytes, alignment);
  sharedOffsets[global.getSymName()] = offset;
  result.staticSharedBytes = offset + bytes;
  return success();
}

void HostModuleBuilder::addThreadArgument(LLVM::LLVMFuncOp function) {
  LLVM::LLVMFunctionType type = function.getFunctionType();
  SmallVector<Type> inputs(type.getParams());
  inputs.push_back(rewriter.pointerType());
  function.removeArgAttrsAttr();
  function.removeResAttrsAttr();
  function.setFunctionType(
      LLVM::LLVMFunctionType::get(type.getReturnType(), inputs));
  function.getBody().front().addArgument(rewriter.pointerType(),
                                         function.getLoc());
  // Attributes for a GPU mean nothing here, or the wrong thing.
  for (NamedAttribute attribute :
       llvm::to_vector(function->getDiscardableAttrs()))
    function->removeDiscardableAttr(attribute.getName());
  function.removePassthroughAttr();
  function.removeTargetCpuAttr();
  function.removeTargetFeaturesAttr();
  function.removeMemoryEffectsAttr();
  function.setVisibility_(LLVM::Visibility::Default);
  function.setCConv(LLVM::CConv::C);
  function.setLinkage(LLVM::Linkage::Internal);
}

static LogicalResult readCluster(LLVM::LLVMFuncOp function, Dim3 &cluster) {
  constexpr uint64_t most = 16; // with "non-portable" sizes allowed
  auto dims = function->getAttrOfType<DenseI32ArrayAttr>(
      NVVM::NVVMDialect::getClusterDimAttrName());
  if (!dims)
    return success();
  uint32_t *sizes[] = {&cluster.x, &cluster.y, &cluster.z};
  for (auto [size, dim] : llvm::zip(sizes, dims.asArrayRef()))
    *size = dim;
  if (cluster.count() == 0 || cluster.count() > most)
    return function.emitError("a cluster has 1 to ")
           << most << " blocks, got " << cluster.count();
  return success();
}

LogicalResult HostModuleBuilder::addKernel(LLVM::LLVMFuncOp function) {
  KernelSignature signature;
  signature.name = function.getName().str();
  if (!isa<LLVM::LLVMVoidType>(function.getFunctionType().getReturnType()))
    return function.emitError("a kernel returns nothing, got ")
           << function.getFunctionType().getReturnType();
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes())) {
    if (function.getArgAttr(i, LLVM::LLVMDialect::getByValAttrName()))
      return function.emitError("the simulator has no byval arguments, "
                                "argument #")
             << i;
    uint64_t bytes = storageBytes(type);
    if (bytes == 0)
      return function.emitError("the simulator cannot pass argument #")
             << i << " of type " << type;
    signature.arguments.push_back({isa<LLVM::LLVMPointerType>(type), bytes});
  }
  if (failed(readCluster(function, signature.cluster)))
    return failure();
  result.kernels.push_back(std::move(signature));
  return success();
}

void HostModuleBuilder::addEntry(LLVM::LLVMFuncOp function,
                                 const KernelSignature &signature) {
  OpBuilder &builder = rewriter.builder;
  Location loc = function.getLoc();
  Type pointer = rewriter.pointerType();
  builder.setInsertionPointToEnd(result.module->getBody());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(builder.getContext()), {pointer, pointer});
  auto entry =
      LLVM::LLVMFuncOp::create(builder, loc, signature.entryName(), type);
  Block *block = entry.addEntryBlock(builder);
  builder.setInsertionPointToStart(block);
  // Argument 0 is an array of pointers to the values of the arguments.
  SmallVector<Value> values;
  for (unsigned i = 0; i < signature.arguments.size(); ++i) {
    Value slot = rewriter.offsetPointer(loc, block->getArgument(0), 8 * i);
    Value address = LLVM::LoadOp::create(builder, loc, pointer, slot);
    values.push_back(LLVM::LoadOp::create(
        builder, loc, function.getFunctionType().getParamType(i), address,
        /*alignment=*/1));
  }
  values.push_back(block->getArgument(1));
  LLVM::CallOp::create(builder, loc, TypeRange(), signature.name, values);
  LLVM::ReturnOp::create(builder, loc, ValueRange());
}

LogicalResult HostModuleBuilder::rewriteAddressOf(LLVM::AddressOfOp op) {
  auto offset = sharedOffsets.find(op.getGlobalName());
  if (offset == sharedOffsets.end())
    return success();
  rewriter.replace(op,
                   rewriter.offsetPointer(op.getLoc(), rewriter.sharedBase(op),
                                          offset->second));
  return success();
}

LogicalResult HostModuleBuilder::rewriteCall(LLVM::CallOp op) {
  std::optional<StringRef> callee = op.getCallee();
  if (!callee)
    return op.emitError("the simulator has no indirect calls");
  if (!result.module->lookupSymbol<LLVM::LLVMFuncOp>(*callee))
    return op.emitError("the simulator has no rule for a call of '@")
           << *callee << "', which has no body";
  SmallVector<Value> operands(op.getArgOperands());
  operands.push_back(rewriter.thread(op));
  auto call = LLVM::CallOp::create(rewriter.builder, op.getLoc(),
                                   op.getResultTypes(), *callee, operands);
  rewriter.replace(op, call.getResults());
  return success();
}

LogicalResult HostModuleBuilder::rewriteOperation(Operation *op) {
  rewriter.builder.setInsertionPoint(op);
  if (auto address = dyn_cast<LLVM::AddressOfOp>(op))
    return rewriteAddressOf(address);
  if (auto call = dyn_cast<LLVM::CallOp>(op))
    return rewriteCall(call);
  auto rule = rules.find(op->getName().getStringRef());
  if (rule != rules.end())
    return rule->second(rewriter, op);
  // Everything else of the LLVM dialect means the same on the host.
  if (isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
    return success();
  return op->emitError("the simulator has no rule for '")
         << op->getName() << "'";
}

void HostModuleBuilder::removeAddressSpaces() {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](LLVM::LLVMPointerType type) -> Type {
    return LLVM::LLVMPointerType::get(type.getContext());
  });
  replacer.recursivelyReplaceElementsIn(*result.module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
  // Constants may be in an address space of their own too.
  result.module->walk([](LLVM::GlobalOp global) { global.setAddrSpace(0); });
}

LogicalResult HostModuleBuilder::run() {
  if (failed(copyMembers()))
    return failure();
  SmallVector<LLVM::LLVMFuncOp> kernels;
  for (LLVM::LLVMFuncOp function : functions) {
    bool kernel = isKernel(function);
    if (kernel && failed(addKernel(function)))
      return failure();
    if (kernel)
      kernels.push_back(function);
    addThreadArgument(function);
  }
  SmallVector<Operation *> operations;
  for (LLVM::LLVMFuncOp function : functions)
    function.getBody().walk([&](Operation *op) { operations.push_back(op); });
  for (Operation *op : operations)
    if (failed(rewriteOperation(op)))
      return failure();
  rewriter.finish();
  removeAddressSpaces();
  for (auto [function, signature] : llvm::zip_equal(kernels, result.kernels))
    addEntry(function, signature);
  return success();
}

FailureOr<HostModule>
mirage::sim::buildHostModule(gpu::GPUModuleOp source,
                             const mirage::TargetDescription &target,
                             const SimulatorOptions &options) {
  HostModule result;
  result.module = ModuleOp::create(source.getLoc());
  HostModuleBuilder builder(source, target, options, result);
  if (failed(builder.run()))
    return failure();
  return result;
}
