"""Programs as an editor with TextMate grammars (Visual Studio Code and others) shows them: the innermost scope of each token.
The regular expressions are run by Oniguruma, as there; the rest of such an editor is these few lines."""
import ctypes
import ctypes.util
import json
import re

LOOKS = {
    'comment': ('comment.line.number-sign.tg',), 'string': ('string.quoted.double.tg',), 'number': ('constant.numeric.tg',),
    'prime': ('keyword.operator.prime.tg',), 'field': ('variable.other.member.tg',), 'sign': ('keyword.operator.tg',),
    'operator': ('keyword.operator.word.tg',), 'name': ('source.tg',), 'control': ('keyword.control.tg',),
    'operation': ('support.function.operation.tg',), 'builtin': ('support.function.builtin.tg',),
    'library': ('support.function.library.tg',), 'literal': ('constant.language.tg',), 'constant': ('support.constant.tg',),
    'declaration': ('storage.type.tg',)}

# Places within the string of sample.tg.
WITHIN = (('{X[1:2]', 'punctuation.section.embedded.begin.tg'), ('1:2', 'constant.numeric.tg'), (':.3f', 'constant.other.placeholder.tg'),
          ('{{no', 'constant.character.escape.brace.tg'), (r'\n', 'constant.character.escape.tg'), (r'\u{', 'constant.character.escape.tg'),
          ('sum: "', 'support.function.operation.tg'), ('"in', 'string.quoted.double.tg'), ('})} #', 'meta.embedded.tg'),
          ('} # no', 'punctuation.section.embedded.end.tg'), ('# no', 'string.quoted.double.tg'), ('# a c', 'comment.line.number-sign.tg'))

onig = None


def is_there():
    global onig
    name = ctypes.util.find_library('onig')
    onig = ctypes.CDLL(name) if name else None
    return onig is not None


class Region(ctypes.Structure):
    _fields_ = [('allocated', ctypes.c_int), ('count', ctypes.c_int), ('begin', ctypes.POINTER(ctypes.c_int)),
                ('end', ctypes.POINTER(ctypes.c_int)), ('history', ctypes.c_void_p)]


class Regex:
    """A pattern, compiled; search(line, at) gives the places of its groups, [(lo, hi), ...], or None."""
    made = {}

    def __new__(cls, pattern):
        if pattern not in cls.made:
            self = cls.made[pattern] = object.__new__(cls)
            text = pattern.encode()
            self.regex = ctypes.c_void_p()
            buffer = ctypes.create_string_buffer(text)
            lo = ctypes.addressof(buffer)
            error = onig.onig_new(ctypes.byref(self.regex), ctypes.c_void_p(lo), ctypes.c_void_p(lo + len(text)), 0,
                                  ctypes.byref(ctypes.c_char.in_dll(onig, 'OnigEncodingUTF8')),
                                  ctypes.byref(ctypes.c_char.in_dll(onig, 'OnigSyntaxRuby')), None)
            if error:
                raise ValueError(f'Oniguruma refuses ({error}) {pattern}')
            onig.onig_region_new.restype = ctypes.POINTER(Region)
            self.region = onig.onig_region_new()
        return cls.made[pattern]

    def search(self, line, at):
        lo = ctypes.addressof(line)
        end = lo + len(line) - 1
        found = onig.onig_search(self.regex, ctypes.c_void_p(lo), ctypes.c_void_p(end), ctypes.c_void_p(lo + at),
                                 ctypes.c_void_p(end), self.region, 0)
        if found < 0:
            return None
        region = self.region.contents
        return [(region.begin[i], region.end[i]) for i in range(region.count)]


def flat(grammar, patterns):
    """The rules of a list, those that it includes put in."""
    for rule in patterns:
        if 'include' in rule:
            included = grammar['repository'][rule['include'][1:]]
            yield from flat(grammar, [included])
        elif 'match' in rule or 'begin' in rule:
            yield rule
        else:
            yield from flat(grammar, rule['patterns'])


class Painter:
    def __init__(self, grammar):
        self.grammar = grammar
        self.rules = {}
        self.stack = [(grammar, grammar['scopeName'])]

    def rules_of(self, rule):
        if id(rule) not in self.rules:
            self.rules[id(rule)] = list(flat(self.grammar, rule.get('patterns', ())))
        return self.rules[id(rule)]

    def paint(self, text):
        """The innermost scope of each byte of a line."""
        raw = text.encode() + b'\n'
        line = ctypes.create_string_buffer(raw)
        scopes, at = [None] * len(raw), 0

        def fill(lo, hi, scope):
            scopes[lo:hi] = [scope] * (hi - lo)

        def captures(places, names):
            for number, name in names.items():
                lo, hi = places[int(number)]
                if lo >= 0:
                    fill(lo, hi, name['name'])

        while at < len(raw):
            top, scope = self.stack[-1]
            best = None
            if 'end' in top:
                places = Regex(top['end']).search(line, at)
                best = places and (places, top, True)
            for rule in self.rules_of(top):
                places = Regex(rule.get('match') or rule['begin']).search(line, at)
                if places and (best is None or places[0][0] < best[0][0][0]):
                    best = (places, rule, False)
            if best is None:
                fill(at, len(raw), scope)
                break
            places, rule, ends = best
            lo, hi = places[0]
            fill(at, lo, scope)
            name = rule.get('name', scope)
            fill(lo, hi, name)
            if ends:
                captures(places, rule.get('endCaptures', {}))
                self.stack.pop()
            elif 'begin' in rule:
                captures(places, rule.get('beginCaptures', {}))
                self.stack.append((rule, name))
            else:
                captures(places, rule.get('captures', {}))
            at = hi if hi > at or ends or 'begin' in rule else at + 1
        return scopes


def check_package(folder):
    """The extension's own files: that what they name is there."""
    with open(folder + '/package.json') as f:
        gives = json.load(f)['contributes']
    with open(f"{folder}/{gives['languages'][0]['configuration']}") as f:
        rules = json.load(f)['indentationRules']
    grows, shrinks = (re.compile(rules[name + 'IndentPattern']) for name in ('increase', 'decrease'))
    wrong = [line for line in ('f(x) = {', 'A = [  # rows', '} else {') if not grows.search(line)]
    wrong += [line for line in ('f(x)', 'a = "{"', '# {', '}') if grows.search(line)]
    wrong += [line for line in ('}', '  ])') if not shrinks.search(line)]
    error = re.compile(gives['problemMatchers'][0]['pattern']['regexp'])
    if not error.match('a b.tg:7:14: error: X @ W has no meaning'):
        wrong.append('the problem matcher')
    return gives['grammars'][0]['path'], [f'language configuration: {line}' for line in wrong]


def show(build, folder, tokens):
    package = build + '/editors/vscode'
    path, wrong = check_package(package)
    with open(f'{package}/{path}', encoding='utf-8') as f:
        grammar = json.load(f)
    for rule in flat(grammar, list(grammar['repository'].values())):
        for key in ('match', 'begin', 'end'):
            if key in rule:
                Regex(rule[key])
    shown = {}
    for file in tokens:
        painter = Painter(grammar)
        with open(file, encoding='utf-8') as f:
            lines = f.read().split('\n')
        painted = [painter.paint(line) for line in lines]
        shown[file] = [painted[t[0] - 1][t[1] - 1] for t in tokens[file]]
        if file.endswith('sample.tg'):
            number, line = next((i, x) for i, x in enumerate(lines) if x.startswith('s = '))
            for text, scope in WITHIN:
                got = painted[number][len(line[:line.index(text)].encode())]
                if got != scope:
                    wrong.append(f'{text} in the sample is shown as {got}, not {scope}')
    return shown, wrong
