# Copies the public headers named in LISTING (paths from the project's root, which is the working directory) to TARGET, with
# their includes written as a user's compiler finds them (core/tensor.h becomes espalier/core/tensor.h), and writes the
# header that includes them all. Files that would not change are left alone, files that are no longer public removed.

cmake_policy(VERSION 3.25)

function(write_if_different path content)
  if(EXISTS "${path}")
    file(READ "${path}" old)
  endif()
  if(NOT "${old}" STREQUAL "${content}")
    file(WRITE "${path}" "${content}")
  endif()
endfunction()

file(STRINGS "${LISTING}" headers)
foreach(header IN LISTS headers)
  file(READ "${header}" content)
  string(REGEX REPLACE "(#include \")([a-z]+/)" "\\1espalier/\\2" content "${content}")
  write_if_different("${TARGET}/${header}" "${content}")
endforeach()

list(TRANSFORM headers REPLACE "(.+)" "#include \"espalier/\\1\"\n" OUTPUT_VARIABLE includes)
list(JOIN includes "" includes)
write_if_different("${TARGET}/espalier.h" "#pragma once\n\n/// \\file\n/// All of Espalier.\n\n${includes}")

file(GLOB_RECURSE present RELATIVE "${TARGET}" "${TARGET}/*")
list(REMOVE_ITEM present ${headers} espalier.h)
foreach(stale IN LISTS present)
  file(REMOVE "${TARGET}/${stale}")
endforeach()
