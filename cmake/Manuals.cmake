# SPDX-License-Identifier: Apache-2.0
# Manual pages and completions, made by the programs of their own tables and installed where
# man and the shells look. coldchain_output(FILE FOLDER program arguments...) is one of them.
function(coldchain_output file folder program)
  set(out "${CMAKE_BINARY_DIR}/share/${folder}/${file}")
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/share/${folder}")
  add_custom_command(OUTPUT "${out}"
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0
            "$<TARGET_FILE:${program}>" ${ARGN} > "${out}"
    DEPENDS ${program} VERBATIM)
  set_property(GLOBAL APPEND PROPERTY coldchain_outputs "${out}")
  install(FILES "${out}" DESTINATION "share/${folder}")
endfunction()

# The commands as coldchainctl/commands.h declares them.
file(STRINGS "${CMAKE_SOURCE_DIR}/coldchainctl/commands.h" lines
     REGEX "^extern const struct command [a-z_]+_command;")
coldchain_output(coldchainctl.1 man/man1 coldchainctl man)
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^.* ([a-z_]+)_command;" "\\1" name "${line}")
  string(REPLACE "man_page" "man" name "${name}")
  string(REPLACE "_" "-" name "${name}")
  coldchain_output(coldchainctl-${name}.1 man/man1 coldchainctl man ${name})
endforeach()
foreach(program coldchain-agent coldchain-collector)
  coldchain_output(${program}.1 man/man1 ${program} --man program)
  coldchain_output(${program}.yaml.5 man/man5 ${program} --man config)
endforeach()
coldchain_output(coldchainctl bash-completion/completions coldchainctl completion bash)
coldchain_output(_coldchainctl zsh/site-functions coldchainctl completion zsh)
coldchain_output(coldchainctl.fish fish/vendor_completions.d coldchainctl completion fish)
get_property(outputs GLOBAL PROPERTY coldchain_outputs)
add_custom_target(manuals ALL DEPENDS ${outputs})
