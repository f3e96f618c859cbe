# How lit finds and runs the tests of mirage-mlir: FileCheck tests (.mlir, .test)
# in the tree, and every GoogleTest binary of the build.

import os
import shutil
import sys

import lit.formats
from lit.llvm import llvm_config

config.name = "mirage"
config.test_format = lit.formats.ShTest(not llvm_config.use_lit_shell)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "CMakeLists.txt", "unit", "lit.cfg.py", "lit.site.cfg.py.in"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.mirage_obj_root, "test")

llvm_config.use_default_substitutions()
llvm_config.add_tool_substitutions(
    [
        "mirage-opt",
        "mirage-run",
        "mirage-translate",
        "mirage-layout",
        "mirage-lsp-server",
        "mirage-reduce",
    ],
    [config.mirage_tools_dir, config.llvm_tools_dir],
)
llvm_config.with_environment("PATH", config.mirage_tools_dir, append_path=True)
llvm_config.with_environment("PATH", config.llvm_tools_dir, append_path=True)
# Each GoogleTest binary leaves the list of its cases here (tools/test.sh counts them).
llvm_config.with_environment("GTEST_OUTPUT", "xml:" + os.path.join(config.test_exec_root, "unit-cases") + "/")
config.substitutions.append(("%examples", os.path.join(config.mirage_src_root, "examples")))
inputs = os.path.join(config.test_source_root, "Inputs")
config.substitutions.append(("%npy", os.path.join(inputs, "npy.py")))
config.substitutions.append(("%claims", os.path.join(inputs, "claims.py")))
config.substitutions.append(("%mugraphs", os.path.join(inputs, "mirage_mugraphs")))
config.substitutions.append(("%snippets", os.path.join(inputs, "run-snippets.py")))
config.substitutions.append(("%srcdir", config.mirage_src_root))
config.substitutions.append(("%objdir", config.mirage_obj_root))
# The examples at other shapes: smaller, and such that no tile divides them.
config.substitutions.append(("%reduce-odd", "sed -e s/32768/1100/g -e s/2048/120/g -e s/4096/200/g -e s/6144/136/g -e s/256/72/g -e 's/<8x/<7x/g'"))
config.substitutions.append(("%reduce", "sed -e s/32768/1024/g -e s/2048/128/g -e s/4096/256/g -e s/6144/192/g"))
# %exits STATUS COMMAND: the exit status, and for 2 that there is one error.
config.substitutions.append(("%exits", sys.executable + " " + os.path.join(inputs, "exits.py")))
config.substitutions.append(("%unit", os.path.join(config.mirage_obj_root, "unit")))

if shutil.which("ptxas") or os.path.exists("/usr/local/cuda/bin/ptxas"):
    config.available_features.add("ptxas")
if config.test_data_dir:
    config.available_features.add("test-data")
    config.substitutions.append(("%testdata", config.test_data_dir))
