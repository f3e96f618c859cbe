# Compiler flags and output folders, set once for every target.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(LLVM_RUNTIME_OUTPUT_INTDIR ${PROJECT_BINARY_DIR}/bin)
set(LLVM_LIBRARY_OUTPUT_INTDIR ${PROJECT_BINARY_DIR}/lib)
set(MLIR_BINARY_DIR ${PROJECT_BINARY_DIR}) # where add_mlir_doc writes

find_program(MIRAGE_CCACHE ccache)
if(MIRAGE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${MIRAGE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MIRAGE_CCACHE})
endif()

separate_arguments(MIRAGE_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${MIRAGE_LLVM_DEFINITIONS})
# The packaged libraries are built without assertions; some of their types
# change with NDEBUG, so every build type of ours defines it too.
add_definitions(-DNDEBUG)
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
                    -fno-exceptions -fvisibility-inlines-hidden)
if(MIRAGE_ENABLE_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_link_options(-fuse-ld=lld)
endif()

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
