# What the libraries stand on. All of it stays private: no public header names any of it.
# cmake/espalier-config.cmake.in finds the same packages again for who links the static libraries.

find_package(Threads REQUIRED)
find_package(dnnl REQUIRED)
find_package(hwy REQUIRED)
find_package(OpenBLASOpenMP REQUIRED)  # a module beside this file
find_package(LibZip REQUIRED)  # a module beside this file
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(nlohmann_json REQUIRED)  # headers only: who links the libraries doesn't need it
find_package(OpenMP REQUIRED COMPONENTS CXX)  # oneDNN's threads are OpenMP's, also where parallel_for has its own
cmake_path(GET OpenBLASOpenMP_LIBRARY PARENT_PATH openblas_dir)
set(ESPALIER_PKGCONFIG_LIBS
  "-ldnnl -lhwy -lzip -lz -lpng -ljpeg ${OpenBLASOpenMP_LIBRARY} -Wl,-rpath,${openblas_dir} -pthread ${OpenMP_CXX_FLAGS}")
