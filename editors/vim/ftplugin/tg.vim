" tg: comments, indentation by two, gq by tg fmt, :make by tg check.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal suffixesadd=.tg include=^\\s*use\\>
if executable('tg')
  setlocal formatprg=tg\ fmt\ -
  compiler tg
endif
let b:match_words = '\<if\>:\<else\>'
let b:undo_ftplugin = 'setlocal comments< commentstring< formatoptions< expandtab< shiftwidth< softtabstop< '
      \ . 'suffixesadd< include< formatprg< | unlet! b:match_words'
