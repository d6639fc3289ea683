"""Programs as Emacs shows them: the face of each token, the indentation of every line; and the mode's commands."""
import shutil
import subprocess

KEYWORD, CONSTANT, BUILTIN = 'font-lock-keyword-face', 'font-lock-constant-face', 'font-lock-builtin-face'
LOOKS = {
    'comment': ('font-lock-comment-delimiter-face', 'font-lock-comment-face'), 'string': ('font-lock-string-face',), 'number': (CONSTANT,),
    'prime': ('nil',), 'field': ('font-lock-variable-name-face',), 'sign': ('nil',), 'operator': (KEYWORD,), 'name': ('nil',),
    'control': (KEYWORD,), 'operation': (BUILTIN,), 'builtin': (BUILTIN,), 'library': ('font-lock-function-name-face',),
    'literal': (CONSTANT,), 'constant': (CONSTANT,), 'declaration': ('font-lock-type-face',)}

# Places within the string of sample.tg.
WITHIN = (('{X[1:2]', 'font-lock-string-face'), ('X[1:2]', 'font-lock-variable-name-face'), ('{{no', 'font-lock-string-face'),
          ('"in', 'font-lock-variable-name-face'), ('# no', 'font-lock-string-face'), ('# a c', 'font-lock-comment-delimiter-face'))

SCRIPT = r'''
(setq byte-compile-error-on-warn t make-backup-files nil)
(unless (byte-compile-file "tg-mode.el") (error "tg-mode.el does not compile"))
(load (expand-file-name "tg-mode.elc"))
(defun lines (file) (with-temp-buffer (insert-file-contents file) (split-string (buffer-string) "\n" t)))
(with-temp-file "shown"
  (let ((out (current-buffer)))
    (dolist (row (lines "places"))
      (pcase-let ((`(,file ,line ,column) (split-string row "\t")))
        (with-current-buffer (find-file-noselect file)
          (unless (eq major-mode 'tg-mode) (error "the mode is %s" major-mode))
          (font-lock-ensure)
          (goto-char (point-min))
          (forward-line (1- (string-to-number line)))
          (let ((face (get-text-property (+ (point) (string-to-number column) -1) 'face)))
            (princ (format "%s\n" (if (consp face) (car face) face)) out)))))))
(dolist (file (lines "files"))
  (with-current-buffer (find-file-noselect file)
    (let ((was (buffer-string)))
      (goto-char (point-min))
      (while (re-search-forward "^[ \t]+" nil t) (replace-match ""))
      (indent-region (point-min) (point-max))
      (unless (string= was (buffer-string))
        (princ (format "%s: indented as\n%s\n" file (buffer-string))))
      (set-buffer-modified-p nil))))

;; The commands.
(with-temp-buffer
  (tg-mode)
  (insert "f( x )=x^ 2\n")
  (tg-format-buffer)
  (unless (string= (buffer-string) "f(x) = x^2\n") (princ (format "laid out as %s\n" (buffer-string))))
  (goto-char (point-min))
  (comment-line 1)
  (unless (string= (buffer-string) "# f(x) = x^2\n") (princ (format "commented as %s\n" (buffer-string))))
  (erase-buffer)
  (insert "(1")
  (unless (condition-case problem (progn (tg-format-buffer) nil)
            (user-error (string-match-p "never closed" (cadr problem))))
    (princ "no error for what cannot be laid out\n"))
  (erase-buffer)
  (insert "x = 6\ny = (x *\n  7)\nx\n")
  (goto-char (point-min))
  (tg-send-statement)
  (forward-line 2)
  (tg-send-statement)
  (with-current-buffer "*tg*"
    (let ((deadline (+ (float-time) 20)))
      (while (and (not (string-match-p "y = 42" (buffer-string))) (< (float-time) deadline))
        (accept-process-output nil 0.1)))
    (unless (string-match-p "y = 42" (buffer-string)) (princ (format "the prompt shows %s\n" (buffer-string))))
    (set-process-query-on-exit-flag (get-buffer-process (current-buffer)) nil)))
'''


def is_there():
    return shutil.which('emacs') is not None


def show(build, folder, tokens):
    shutil.copy(build + '/editors/emacs/tg-mode.el', folder)
    places = [(file, t[0], t[2]) for file in tokens for t in tokens[file]]
    within = []
    for file in tokens:
        if file.endswith('sample.tg'):
            with open(file, encoding='utf-8') as f:
                number, line = next((i, x) for i, x in enumerate(f.read().split('\n')) if x.startswith('s = '))
            within = WITHIN
            places += [(file, number + 1, line.index(text) + 1) for text, _ in within]
    with open(folder + '/places', 'w', encoding='utf-8') as f:
        f.writelines('\t'.join(map(str, place)) + '\n' for place in places)
    with open(folder + '/files', 'w', encoding='utf-8') as f:
        f.writelines(file + '\n' for file in tokens)
    with open(folder + '/script.el', 'w', encoding='utf-8') as f:
        f.write(SCRIPT)
    done = subprocess.run(['emacs', '-Q', '--batch', '--eval', f'(setq tg-program "{build}/tg" create-lockfiles nil)', '-l', 'script.el'], cwd=folder,
                          capture_output=True, text=True, timeout=250, stdin=subprocess.DEVNULL)
    wrong = done.stdout.splitlines()
    if done.returncode:
        return {file: [] for file in tokens}, wrong + [done.stderr]
    with open(folder + '/shown', encoding='utf-8') as f:
        faces = f.read().split('\n')
    for (text, face), got in zip(within, faces[len(places) - len(within):]):
        if got != face:
            wrong.append(f'{text} in the sample is shown as {got}, not {face}')
    shown = {}
    for file in tokens:
        shown[file], faces = faces[:len(tokens[file])], faces[len(tokens[file]):]
    return shown, wrong
