" tg: indentation as tg fmt has it: two columns for a bracket, or below what follows the bracket on its line; two more where a statement goes on.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1
setlocal indentexpr=GetTgIndent() indentkeys=0{,0},0),0],!^F,o,O,e
let b:undo_indent = 'setlocal indentexpr< indentkeys<'
if exists('*GetTgIndent')
  finish
endif

" Is the place in a string or comment?
function! s:Outside(line, col)
  return synIDattr(synID(a:line, a:col, 1), 'name') =~# '^tg\(String\|Escape\|Hole\|Format\|Comment\)'
endfunction

" The innermost bracket that is open before the cursor; [0, 0]: none.
function! s:Open()
  let best = [0, 0]
  for [open, close] in [['(', ')'], ['\[', '\]'], ['{', '}']]
    let at = searchpairpos(open, '', close, 'bnW', 's:Outside(line("."), col("."))')
    if at[0] > best[0] || (at[0] == best[0] && at[1] > best[1])
      let best = at
    endif
  endfor
  return best
endfunction

" The line's code, without its comment and blanks at the end.
function! s:Code(line)
  let text = getline(a:line)
  let at = stridx(text, '#')
  while at >= 0 && synIDattr(synID(a:line, at + 1, 1), 'name') !~# '^tg\(Comment\|Prompt\)'
    let at = stridx(text, '#', at + 1)
  endwhile
  return substitute(at >= 0 ? strpart(text, 0, at) : text, '\s*$', '', '')
endfunction

function! s:GoesOn(line)
  let above = prevnonblank(a:line - 1)
  while above > 0 && s:Code(above) ==# ''
    let above = prevnonblank(above - 1)
  endwhile
  if getline(a:line) =~# '^\s*where\s\+\h\w*\s*=' && above > 0
    return 1
  endif
  return above > 0 && getline(a:line) !~# '^\s*{'
        \ && s:Code(above) =~# '\%([-+*/%@^=<>,.]\|\<\%(and\|or\|not\|in\)\)$'
        \ && s:Code(above) !~# '^\s*?'
endfunction

function! GetTgIndent()
  if s:Outside(v:lnum, 1) && getline(v:lnum) !~# '^\s*[#"]'
    return -1 " within a string
  endif
  call cursor(v:lnum, 1)
  let closers = matchstr(getline(v:lnum), '^\s*\zs[])}]\+')
  if closers !=# ''
    let line = v:lnum
    call cursor(v:lnum, match(getline(v:lnum), '\S') + strlen(closers))
    let [line, column] = searchpairpos('[({[]', '', '[])}]', 'bnW', 's:Outside(line("."), col("."))')
    return indent(line)
  endif
  let [line, column] = s:Open()
  if line == 0
    return s:GoesOn(v:lnum) ? shiftwidth() : 0
  endif
  let behind = strpart(s:Code(line), column)
  let block = getline(line)[column - 1] ==# '{' && behind !~# '^\s*\h\w*\s*:'
  if !block && behind !=# ''
    return virtcol([line, column + 1 + match(behind, '\S')]) - 1
  endif
  return indent(line) + shiftwidth() * (block && s:GoesOn(v:lnum) && s:Code(line) !=# s:CodeAbove(v:lnum) ? 2 : 1)
endfunction

" The code of the last line above that has any.
function! s:CodeAbove(line)
  let above = a:line - 1
  while above > 0 && s:Code(above) ==# ''
    let above -= 1
  endwhile
  return s:Code(above)
endfunction
