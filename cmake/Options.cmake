# SPDX-License-Identifier: Apache-2.0
# Warnings, hardening and sanitizers of every target.
include(CheckCCompilerFlag)

option(COLDCHAIN_WERROR "treat warnings as errors" OFF)
option(COLDCHAIN_FUZZERS "build the fuzzers (clang only)" OFF)
set(COLDCHAIN_SANITIZE "" CACHE STRING "comma separated sanitizers, e.g. address,undefined")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Asserts state bugs of ours and stay on in every build type.
foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
  string(REGEX REPLACE "[-/]D *NDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()

add_compile_definitions(_GNU_SOURCE COLDCHAIN_VERSION="${PROJECT_VERSION}")
include_directories("${CMAKE_SOURCE_DIR}")

function(coldchain_flag flag)
  string(MAKE_C_IDENTIFIER "HAVE${flag}" known)
  check_c_compiler_flag("${flag}" ${known})
  if(${known})
    add_compile_options("${flag}")
  endif()
endfunction()

foreach(flag
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
    -Wold-style-definition -Wcast-qual -Wwrite-strings -Wpointer-arith -Wvla -Wformat=2
    -Wundef -Wimplicit-fallthrough -Wnull-dereference -Wtrampolines
    -Wbidi-chars=any -Werror=format-security -Werror=implicit
    -Werror=incompatible-pointer-types -Werror=int-conversion
    # clang takes assert(!"a sentence") for a mistake.
    -Wno-string-conversion
    # State must be the same bits on every machine: no fused multiply-add.
    -ffp-contract=off
    -fno-common -fno-strict-aliasing -fno-delete-null-pointer-checks -fstack-protector-strong)
  coldchain_flag(${flag})
endforeach()
# clang's NAN is a float: assigning it to a double would be a warning.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  coldchain_flag(-Wdouble-promotion)
endif()
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  # assert(!"why") is how an unreachable place says why.
  add_compile_options(-Wno-string-conversion)
endif()
if(COLDCHAIN_WERROR)
  add_compile_options(-Werror)
endif()

if(COLDCHAIN_SANITIZE)
  # Fortify and automatic initialisation would hide what the sanitizers look for.
  add_compile_options(-fsanitize=${COLDCHAIN_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${COLDCHAIN_SANITIZE})
else()
  # Not -ftrivial-auto-var-init: with GCC 12.2 (Debian 12) it clears members that an initialiser
  # has set, in a struct with an array of structs that a function returns by value. An alert
  # rule lost its recovery level by that (tests/unit/alerts/silence_test.c, in a release build).
  foreach(flag -fstack-clash-protection -fcf-protection=full -fstrict-flex-arrays=3)
    coldchain_flag(${flag})
  endforeach()
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
  # What nobody calls takes no memory.
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
  add_link_options(-Wl,-z,nodlopen -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed)
endif()

# What a fuzzer steers by must be counted in the code it fuzzes, not only in its target.
if(COLDCHAIN_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
