# One library per folder, and the tree of headers as a user sees it.

set(ESPALIER_INCLUDE_DIR "${PROJECT_BINARY_DIR}/include")

# What nearly every source of the library includes; parsed again for each it was two fifths of their compile time.
set(ESPALIER_STANDARD_HEADERS <algorithm> <array> <cmath> <filesystem> <functional> <limits> <map> <memory> <optional> <ostream>
  <span> <string> <type_traits> <unordered_map> <vector>)
file(CONFIGURE OUTPUT precompiled.cc CONTENT "")
add_library(espalier_precompiled OBJECT "${PROJECT_BINARY_DIR}/precompiled.cc")
espalier_compile(espalier_precompiled)
espalier_precompile(espalier_precompiled ${ESPALIER_STANDARD_HEADERS} "${PROJECT_SOURCE_DIR}/core/door.h")

# espalier_library(<folder> [DEPENDS <folder>...] [PRIVATE <library>...] [EXCLUDE <source>...] [PRECOMPILE <header>...])
# The library espalier::<folder> of all .cc files in the folder, less those excluded. A folder without any has no library yet.
# PRECOMPILE is for folders with compiler options of their own, which can't share the precompiled header of the others.
function(espalier_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;PRIVATE;EXCLUDE;PRECOMPILE")
  file(GLOB sources CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" *.cc)
  list(REMOVE_ITEM sources ${arg_EXCLUDE})
  if(NOT sources)
    return()
  endif()
  set(target espalier_${folder})
  add_library(${target} ${sources})
  add_library(espalier::${folder} ALIAS ${target})
  espalier_compile(${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} INTERFACE
    "$<BUILD_INTERFACE:${ESPALIER_INCLUDE_DIR}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${folder} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} DEFINE_SYMBOL ""
    INSTALL_RPATH "$ORIGIN" INSTALL_RPATH_USE_LINK_PATH TRUE)
  target_link_options(${target} PRIVATE
    "$<$<STREQUAL:$<TARGET_PROPERTY:${target},TYPE>,SHARED_LIBRARY>:-Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map,-z,defs>")
  list(FIND ESPALIER_FOLDERS ${folder} here)
  foreach(below IN LISTS arg_DEPENDS)
    list(FIND ESPALIER_FOLDERS ${below} there)
    if(there LESS 0 OR there GREATER_EQUAL here)
      message(FATAL_ERROR "${folder} may not depend on ${below}: see ESPALIER_FOLDERS")
    endif()
    if(TARGET espalier_${below})
      target_link_libraries(${target} PUBLIC espalier_${below})
    endif()
  endforeach()
  target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
  if(arg_PRECOMPILE)
    espalier_precompile(${target} ${arg_PRECOMPILE})
  else()
    target_precompile_headers(${target} REUSE_FROM espalier_precompiled)
    espalier_cache_precompiled(${target})
  endif()
  set_property(GLOBAL APPEND PROPERTY ESPALIER_LIBRARIES ${target})
endfunction()

# espalier_umbrella(): the target espalier::espalier, which is all the libraries, and the headers as a user includes them
# (<espalier/core/tensor.h>, <espalier/espalier.h>), made by StageHeaders.cmake.
function(espalier_umbrella)
  get_property(libraries GLOBAL PROPERTY ESPALIER_LIBRARIES)
  add_library(espalier_umbrella INTERFACE)
  add_library(espalier::espalier ALIAS espalier_umbrella)
  set_target_properties(espalier_umbrella PROPERTIES EXPORT_NAME espalier)
  target_link_libraries(espalier_umbrella INTERFACE ${libraries})

  set(folders ${ESPALIER_FOLDERS})
  list(REMOVE_ITEM folders cli)  # a program has no users that include it
  list(TRANSFORM folders APPEND "/*.h" OUTPUT_VARIABLE patterns)
  list(TRANSFORM patterns PREPEND "${PROJECT_SOURCE_DIR}/")
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}" ${patterns})
  list(FILTER headers EXCLUDE REGEX "(_internal|-inl)\\.h$")
  set_property(GLOBAL PROPERTY ESPALIER_PUBLIC_HEADERS ${headers})
  list(TRANSFORM headers PREPEND "${ESPALIER_INCLUDE_DIR}/espalier/" OUTPUT_VARIABLE staged)
  set(umbrella "${ESPALIER_INCLUDE_DIR}/espalier/espalier.h")
  set(script "${PROJECT_SOURCE_DIR}/cmake/StageHeaders.cmake")
  list(JOIN headers "\n" listing)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/public_headers.txt" CONTENT "${listing}\n")
  add_custom_command(
    OUTPUT "${PROJECT_BINARY_DIR}/headers.stamp"
    BYPRODUCTS ${staged} "${umbrella}"
    COMMAND "${CMAKE_COMMAND}" -D "LISTING=${PROJECT_BINARY_DIR}/public_headers.txt"
            -D "TARGET=${ESPALIER_INCLUDE_DIR}/espalier" -P "${script}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${PROJECT_BINARY_DIR}/headers.stamp"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    DEPENDS ${headers} "${script}" "${PROJECT_BINARY_DIR}/public_headers.txt"
    COMMENT "Staging the public headers"
    VERBATIM)
  add_custom_target(espalier_headers ALL DEPENDS "${PROJECT_BINARY_DIR}/headers.stamp")
  foreach(library IN LISTS libraries)
    add_dependencies(${library} espalier_headers)
  endforeach()
endfunction()
