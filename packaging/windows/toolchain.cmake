# SPDX-License-Identifier: Apache-2.0
# Cross-building for 64-bit Windows with mingw-w64. What is linked comes from packaging/windows/deps,
# whose answer is in the environment: XR_WINDOWS_DEPS=$(packaging/windows/deps) cmake --preset mingw
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
if(DEFINED ENV{XR_WINDOWS_DEPS})
  set(XR_WINDOWS_DEPS "$ENV{XR_WINDOWS_DEPS}" CACHE PATH "What packaging/windows/deps answered")
endif()
if(NOT XR_WINDOWS_DEPS)
  message(FATAL_ERROR "The libraries to link are not named. Run this:\n"
    "  XR_WINDOWS_DEPS=$(packaging/windows/deps) cmake --preset mingw")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES XR_WINDOWS_DEPS)
set(CMAKE_FIND_ROOT_PATH "${XR_WINDOWS_DEPS}" /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(OPENSSL_USE_STATIC_LIBS ON)
