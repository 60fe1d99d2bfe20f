# How every target of the tree is compiled.

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  find_program(CCACHE ccache)
  if(CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
  endif()
  find_program(MOLD mold)  # links in a fifth of the time; a change of one operation links some fifty programs
  if(MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

# espalier_compile(<target>): language, warnings and code generation. The target sees the tree from its root.
function(espalier_compile target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}")
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wextra-semi -Wvla
    -ffp-contract=off)  # the same bits with and without fused multiply-add: who wants one writes it
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False at -O3: on "text" + std::string (GCC bug 105651), on std::sort of a short inline array. asan checks both for real.
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
  else()
    # Clang holds what libstdc++'s own algorithms use against whoever calls them (std::stable_sort of GCC 12).
    target_compile_options(${target} PRIVATE -Wno-deprecated-declarations)
  endif()
endfunction()

# espalier_precompile(<target> <header>...): compiles the headers once for all sources of the target.
function(espalier_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  espalier_cache_precompiled(${target})
endfunction()

# espalier_cache_precompiled(<target>): lets ccache see through precompiled headers, for which it wants an option, a
# variable and no old header.
function(espalier_cache_precompiled target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
  if(CCACHE AND CMAKE_CXX_COMPILER_LAUNCHER STREQUAL CCACHE)
    set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER
      "${PROJECT_SOURCE_DIR}/cmake/ccache_precompiled;${CCACHE}")
  endif()
endfunction()

# espalier_compile_program(<target>): as the library, but that position independence is left to the compiler, as in the
# precompiled header that programs share.
function(espalier_compile_program target)
  espalier_compile(${target})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
endfunction()

# espalier_programs(LIBS <library>... PRECOMPILE <header>...): each .cc of this folder is a program of that name, and so is each
# subfolder that holds .cc files. Each links the whole library, or what the variable libs_<name> says. Precompiled headers are
# shared by all of them.
function(espalier_programs)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "LIBS;PRECOMPILE")
  if(arg_PRECOMPILE)
    cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME folder)
    set(precompiled espalier_${folder}_precompiled)
    add_library(${precompiled} OBJECT "${PROJECT_BINARY_DIR}/precompiled.cc")
    espalier_compile_program(${precompiled})
    target_link_libraries(${precompiled} PRIVATE espalier::espalier)
    espalier_precompile(${precompiled} ${arg_PRECOMPILE})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  file(GLOB parts CONFIGURE_DEPENDS */*.cc)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM LAST_ONLY name)
    list(APPEND names ${name})
    set(sources_${name} "${source}")
  endforeach()
  foreach(part IN LISTS parts)
    cmake_path(GET part PARENT_PATH folder)
    cmake_path(GET folder FILENAME name)
    list(APPEND names ${name})
    list(APPEND sources_${name} "${part}")
  endforeach()
  list(REMOVE_DUPLICATES names)
  foreach(name IN LISTS names)
    add_executable(${name} ${sources_${name}})
    espalier_compile_program(${name})
    if(NOT DEFINED libs_${name})
      set(libs_${name} espalier::espalier)
    endif()
    target_link_libraries(${name} PRIVATE ${libs_${name}} ${arg_LIBS})
    if(arg_PRECOMPILE)
      target_precompile_headers(${name} REUSE_FROM ${precompiled})
      espalier_cache_precompiled(${name})
    endif()
  endforeach()
endfunction()
