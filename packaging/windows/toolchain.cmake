# SPDX-License-Identifier: Apache-2.0
# Cross-building for 64-bit Windows with mingw-w64. What is linked is built by packaging/windows/deps,
# some minutes the first time, and kept outside the source tree; or named: XR_WINDOWS_DEPS.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
if(NOT EXISTS "${XR_WINDOWS_DEPS}/components") # what it writes last
  execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/deps" OUTPUT_VARIABLE deps RESULT_VARIABLE failed
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    message(FATAL_ERROR "packaging/windows/deps cannot make the libraries to link; it said why above.")
  endif()
  set(XR_WINDOWS_DEPS "${deps}" CACHE PATH "Where packaging/windows/deps put them" FORCE)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES XR_WINDOWS_DEPS)
set(CMAKE_FIND_ROOT_PATH "${XR_WINDOWS_DEPS}" /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(OPENSSL_USE_STATIC_LIBS ON)
