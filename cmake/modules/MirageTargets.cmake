# Thin wrappers over LLVM's functions; every library of the project depends on
# all generated headers through the target `mirage-headers`.

# mirage_add_library(Name source... [LINK our-library...] [MLIR mlir-library...])
function(mirage_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;MLIR" ${ARGN})
  add_mlir_library(${name} ${ARG_UNPARSED_ARGUMENTS}
    DISABLE_INSTALL EXCLUDE_FROM_LIBMLIR
    DEPENDS mirage-headers
    LINK_LIBS PUBLIC ${ARG_LINK})
  mlir_target_link_libraries(${name} PUBLIC ${ARG_MLIR})
  set_property(GLOBAL APPEND PROPERTY MIRAGE_LIBRARIES ${name})
endfunction()

# mirage_add_tool(name source... [LINK our-library...] [MLIR mlir-library...])
function(mirage_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK;MLIR" ${ARGN})
  add_llvm_executable(${name} ${ARG_UNPARSED_ARGUMENTS} DEPENDS mirage-headers)
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
  mlir_target_link_libraries(${name} PRIVATE ${ARG_MLIR})
endfunction()

# mirage_add_unittest(name source... [LINK our-library...] [MLIR mlir-library...])
# A GoogleTest binary under <build>/unit, run by lit together with all others.
function(mirage_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK;MLIR" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  add_dependencies(${name} mirage-headers)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unit)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  mlir_target_link_libraries(${name} PRIVATE ${ARG_MLIR} MLIRSupport)
  add_dependencies(mirage-unit-tests ${name})
endfunction()

# mirage_test_data(source...)
# Unit tests that read files: they get MIRAGE_SOURCE_DIR and
# MIRAGE_TEST_DATA_DIR. Not for all, since paths in flags defeat the cache of
# other checkouts.
function(mirage_test_data)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_DEFINITIONS
    MIRAGE_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    MIRAGE_TEST_DATA_DIR="${MIRAGE_TEST_DATA_DIR}")
endfunction()
