# OpenBLAS without threads of its own, with LAPACK inside: the target OpenBLASSerial::OpenBLASSerial. Debian keeps it in a folder
# beside the threaded variants; named by its full path it is what programs load at run time, whichever variant the system prefers.

find_library(OpenBLASSerial_LIBRARY openblas PATH_SUFFIXES openblas-serial)
mark_as_advanced(OpenBLASSerial_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLASSerial REQUIRED_VARS OpenBLASSerial_LIBRARY)

if(OpenBLASSerial_FOUND AND NOT TARGET OpenBLASSerial::OpenBLASSerial)
  add_library(OpenBLASSerial::OpenBLASSerial UNKNOWN IMPORTED)
  set_target_properties(OpenBLASSerial::OpenBLASSerial PROPERTIES IMPORTED_LOCATION "${OpenBLASSerial_LIBRARY}")
endif()
