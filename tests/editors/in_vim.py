"""Programs as Vim shows them: the syntax group of each token, and the indentation that = gives."""
import os
import shutil
import subprocess

LOOKS = {
    'comment': ('tgComment', 'tgPrompt'), 'string': ('tgString',), 'number': ('tgNumber',), 'prime': ('tgPrime',),
    'field': ('tgField', ''), 'sign': ('tgOperator',), 'operator': ('tgWordOperator',), 'name': ('', 'tgHelp'), 'control': ('tgControl',),
    'operation': ('tgOperation',), 'builtin': ('tgBuiltin',), 'library': ('tgLibrary',), 'literal': ('tgLiteral',),
    'constant': ('tgConstant',), 'declaration': ('tgDeclaration',)}

# Groups that no whole token has: places of sample.tg.
WITHIN = (('{X[1:2]', 'tgHoleDelimiter'), ('X[1:2]', 'tgHole'), (':.3f', 'tgFormat'), ('{{no', 'tgBrace'), (r'\n', 'tgEscape'),
          (r'\u{', 'tgEscape'), ('f({sum', 'tgHole'), ('"in', 'tgString'), ('# no', 'tgString'), ('.sum', 'tgField'))

SCRIPT = r'''
function! Show()
  let out = []
  for row in readfile('places')
    let [file, line, column] = split(row, "\t")
    if file !=# expand('%:p')
      execute 'edit' fnameescape(file)
    endif
    call add(out, synIDattr(synID(line, column, 1), 'name'))
  endfor
  call writefile(out, 'shown')
  for file in readfile('files')
    execute 'edit' fnameescape(file)
    silent %left
    silent normal! gg=G
    execute 'write!' fnameescape(fnamemodify(file, ':t') . '.indented')
    call writefile([&filetype . ' ' . &commentstring . ' ' . &shiftwidth], 'settings')
    edit!
  endfor
endfunction
'''


def is_there():
    return shutil.which('vim') is not None


def run(build, folder, script):
    with open(folder + '/script.vim', 'w') as f:
        f.write(script)
    command = ['vim', '-es', '-N', '-u', 'NONE', '-i', 'NONE', '-n', '--cmd', 'set encoding=utf-8 hidden nofsync',
               '--cmd', f'set runtimepath={build}/editors/vim,$VIMRUNTIME', '--cmd', 'filetype plugin indent on | syntax on',
               '-S', 'script.vim', '-c', 'call Show()', '-c', 'qall!']
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def show(build, folder, tokens):
    places = [f'{file}\t{t[0]}\t{t[1]}' for file in tokens for t in tokens[file]]
    sample = next(file for file in tokens)
    within = []
    for i, line in enumerate(open(sample, encoding='utf-8').read().splitlines()):
        for text, group in WITHIN:
            if line.startswith('s = ') and text in line or line.startswith('net') and text == '.sum':
                within.append((text, group))
                places.append(f'{sample}\t{i + 1}\t{len(line[:line.index(text)].encode()) + 1}')
    with open(folder + '/places', 'w') as f:
        f.write('\n'.join(places) + '\n')
    with open(folder + '/files', 'w') as f:
        f.write('\n'.join(tokens) + '\n')
    said = run(build, folder, SCRIPT)
    wrong = [said] if said.strip() else []
    if not os.path.exists(folder + '/settings'):
        return {file: [] for file in tokens}, wrong + ['Vim did not come to the end']
    groups = open(folder + '/shown').read().split('\n')
    settings = open(folder + '/settings').read().strip()
    if settings != 'tg # %s 2':
        wrong.append(f'the settings are {settings}')
    for (text, group), got in zip(within, groups[len(places) - len(within):]):
        if got != group:
            wrong.append(f'{text} in the sample is shown as {got}, not {group}')
    shown = {}
    for file in tokens:
        shown[file], groups = groups[:len(tokens[file])], groups[len(tokens[file]):]
        want, got = open(file).read(), open(f'{folder}/{os.path.basename(file)}.indented').read()
        for i, (a, b) in enumerate(zip(want.split('\n'), got.split('\n'))):
            if a != b:
                wrong.append(f'{file}:{i + 1}: indented as <<{b}>>')
    return shown, wrong
