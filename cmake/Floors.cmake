# SPDX-License-Identifier: Apache-2.0
# coldchain_floor(FOLDER ...libraries): every .c below FOLDER but a main.c becomes cc_FOLDER.
function(coldchain_floor folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*.c")
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  if(NOT sources)
    add_library(cc_${folder} INTERFACE)
    return()
  endif()
  add_library(cc_${folder} STATIC ${sources})
  target_link_libraries(cc_${folder} ${ARGN} PUBLIC Threads::Threads m)
endfunction()

# coldchain_program(FOLDER NAME): FOLDER/main.c linked with cc_FOLDER.
function(coldchain_program folder name)
  if(NOT EXISTS "${CMAKE_SOURCE_DIR}/${folder}/main.c")
    return()
  endif()
  add_executable(${name} "${CMAKE_SOURCE_DIR}/${folder}/main.c")
  target_link_libraries(${name} PRIVATE cc_${folder})
  target_link_options(${name} PRIVATE -pie)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  install(TARGETS ${name} RUNTIME DESTINATION bin)
endfunction()
