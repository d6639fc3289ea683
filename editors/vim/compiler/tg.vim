" tg: :make checks the program without running it, and :cnext goes to what it found.
if exists('current_compiler')
  finish
endif
let current_compiler = 'tg'

CompilerSet makeprg=tg\ check\ --quiet\ %:S
CompilerSet errorformat=%f:%l:%c:\ %trror:\ %m,%f:%l:%c:\ %tarning:\ %m,%-G%.%#
