# The package: libraries, headers, CMake package and pkg-config file. It can be moved: nothing in it names the prefix.

include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY ESPALIER_LIBRARIES)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/espalier")

install(TARGETS ${libraries} espalier_umbrella EXPORT espalier)
if(TARGET espalier)
  file(RELATIVE_PATH to_libraries "/${CMAKE_INSTALL_BINDIR}" "/${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(espalier PROPERTIES INSTALL_RPATH "$ORIGIN/${to_libraries}" INSTALL_RPATH_USE_LINK_PATH TRUE)
  install(TARGETS espalier)
endif()
install(EXPORT espalier NAMESPACE espalier:: FILE espalier-targets.cmake DESTINATION "${package_dir}")
install(DIRECTORY "${ESPALIER_INCLUDE_DIR}/espalier" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")

configure_package_config_file(cmake/espalier-config.cmake.in espalier-config.cmake
  INSTALL_DESTINATION "${package_dir}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(espalier-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/espalier-config.cmake" "${PROJECT_BINARY_DIR}/espalier-config-version.cmake"
  cmake/FindOpenBLASOpenMP.cmake cmake/FindLibZip.cmake
  DESTINATION "${package_dir}")

# A linker reads static libraries once, left to right: users before what they use.
list(REVERSE libraries)
list(TRANSFORM libraries PREPEND "-l" OUTPUT_VARIABLE ESPALIER_PKGCONFIG_ARCHIVES)
list(JOIN ESPALIER_PKGCONFIG_ARCHIVES " " ESPALIER_PKGCONFIG_ARCHIVES)
if(BUILD_SHARED_LIBS)
  set(ESPALIER_PKGCONFIG_LIBS "")
endif()
cmake_path(SET pkgconfig_dir NORMALIZE "/${CMAKE_INSTALL_LIBDIR}/pkgconfig")
cmake_path(RELATIVE_PATH pkgconfig_dir BASE_DIRECTORY "/" OUTPUT_VARIABLE pkgconfig_dir)
file(RELATIVE_PATH ESPALIER_PKGCONFIG_PREFIX "/${pkgconfig_dir}" "/")
configure_file(cmake/espalier.pc.in espalier.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/espalier.pc" DESTINATION "${pkgconfig_dir}")
