# Fills the editors' files with the words of the language, as the tg just built tells them.
#   cmake -DTG=tg -DTG_VERSION=0.1.0 -DFROM=editors -DTO=build/editors -P fill.cmake
# In a file NAME.in, @TG_kind@ becomes the words of a kind with blanks between them (see `tg --words`), @TG_kind_OR@ the same with bars, for
# regular expressions, @TG_kind_VIM@ for those of Vim, @TG_kind_VIM_KEYS@ for its keywords, and @TG_kind_LISP@ as strings of Lisp; other files are copied.

execute_process(COMMAND ${TG} --words OUTPUT_VARIABLE lines RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${TG} --words: ${failed}")
endif()
string(REGEX REPLACE "\n$" "" lines "${lines}")
string(REPLACE "\n" ";" lines "${lines}")
foreach(line ${lines})
  string(REGEX MATCH "^([a-z]+) (.+)$" line "${line}")
  list(APPEND words_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()
foreach(kind literal operator control declaration constant operation builtin library)
  if(NOT words_${kind})
    message(FATAL_ERROR "${TG} --words tells no words of the kind ${kind}")
  endif()
  list(JOIN words_${kind} " " TG_${kind})
  # What is an option of Vim's `syntax keyword` is written with its last letter as one that may be missing.
  string(REGEX REPLACE "(^| )(contain|containe|containedi|transparen|displa|nextgrou|skipwhit|concea|concealend|fol|exten|onelin)(s|d|n|t|y|p|e|l)( |$)" "\\1\\2[\\3]\\4"
    TG_${kind}_VIM_KEYS "${TG_${kind}}")
  list(JOIN words_${kind} "|" TG_${kind}_OR)
  list(JOIN words_${kind} "\\|" TG_${kind}_VIM)
  list(JOIN words_${kind} "\" \"" TG_${kind}_LISP)
  set(TG_${kind}_LISP "\"${TG_${kind}_LISP}\"")
endforeach()

file(GLOB_RECURSE files RELATIVE ${FROM} ${FROM}/*)
foreach(file ${files})
  if(file MATCHES "\\.in$")
    string(REGEX REPLACE "\\.in$" "" to ${file})
    configure_file(${FROM}/${file} ${TO}/${to} @ONLY)
  elseif(NOT file STREQUAL "fill.cmake")
    configure_file(${FROM}/${file} ${TO}/${file} COPYONLY)
  endif()
endforeach()
