# OpenBLAS that takes its threads from OpenMP, with LAPACK inside: the target OpenBLASOpenMP::OpenBLASOpenMP. Debian keeps it in a
# folder beside the other variants; named by its full path it is what programs load at run time, whichever the system prefers.

find_library(OpenBLASOpenMP_LIBRARY openblas PATH_SUFFIXES openblas-openmp)
mark_as_advanced(OpenBLASOpenMP_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLASOpenMP REQUIRED_VARS OpenBLASOpenMP_LIBRARY)

if(OpenBLASOpenMP_FOUND AND NOT TARGET OpenBLASOpenMP::OpenBLASOpenMP)
  add_library(OpenBLASOpenMP::OpenBLASOpenMP UNKNOWN IMPORTED)
  set_target_properties(OpenBLASOpenMP::OpenBLASOpenMP PROPERTIES IMPORTED_LOCATION "${OpenBLASOpenMP_LIBRARY}")
endif()
