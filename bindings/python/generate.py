"""Writes `esent/_header.py`, what the package knows of `esent.h`: values, structures, functions.

Run it after a change of the header; a test finds out when that was forgotten. It reads the header
as it is laid out there, not C at large.
"""

import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = HERE.parent.parent / "crates/ese-capi/include/esent.h"
OUTPUT = HERE / "esent/_header.py"

PLAIN = {
    "int32_t": "c_int32", "uint32_t": "c_uint32", "uint64_t": "c_uint64", "int64_t": "c_int64",
    "uint16_t": "c_uint16", "int16_t": "c_int16", "uint8_t": "c_uint8", "int8_t": "c_int8",
    "uintptr_t": "c_size_t", "double": "c_double", "float": "c_float", "char": "c_char",
    "unsigned char": "c_uint8", "short": "c_int16", "unsigned short": "c_uint16", "int": "c_int",
    "unsigned int": "c_uint32", "size_t": "c_size_t", "JET_WCHAR": "c_uint16",
}
CALLBACKS = {}
HEAD = '''"""Values, structures and functions of `esent.h`. Made by generate.py, not edited."""

# fmt: off
from ctypes import (CFUNCTYPE, POINTER, Structure, Union, c_char, c_double, c_float, c_int, c_int8,
                    c_int16, c_int32, c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64,
                    c_void_p)
'''


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def aliases(text):
    """Types that are other names of plain ones."""
    known = dict(PLAIN)
    for target, name in re.findall(r"^typedef ([\w ]+?) (\w+);", text, flags=re.M):
        if target in known:
            known[name] = known[target]
    known.update(dict.fromkeys(re.findall(r"^\} (JET_RELOP|JET_ERRCAT|JET_INDEXCHECKING);", text,
                                          flags=re.M), "c_int"))
    for name in re.findall(r"^typedef (?:const )?\w+ \*(\w+);", text, flags=re.M):
        known[name] = "c_void_p"
    return known


def type_of(text, known, structs=()):
    """A declaration's type, as ctypes has it. Every pointer is a plain address: the caller's."""
    if structs is None and text.strip() in CALLBACKS:
        return "c_void_p"  # of a parameter: a function or None
    text = re.sub(r"\b(const|struct|__extension__)\b", "", text).strip()
    if "*" in text:
        return "c_void_p"
    if text in CALLBACKS:
        return text
    if text in known:
        return known[text]
    if structs and text in structs:
        return text
    raise SystemExit(f"{HEADER}: no idea what {text!r} is")


def split_field(field):
    """Type, name, array length or None, bits or None."""
    found = re.fullmatch(r"(.*?[\s*])(\w+)\s*(?:\[(\w+)\])?\s*(?::\s*(\d+))?", field.strip())
    return found.groups()


def fields(body, name, known, structs, out):
    """The fields of a structure; a union or structure without a name becomes one of its own."""
    result, anonymous = [], []
    at = 0
    while at < len(body):
        found = re.compile(r"\s*(?:__extension__\s+)?(union|struct)\s*\{").match(body, at)
        if found:
            depth, end = 1, found.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(body[end], 0)
                end += 1
            inner = f"{name}_{len(anonymous) + 1}"
            declare(inner, body[found.end():end - 1], known, structs, out, found[1])
            semicolon = body.index(";", end)
            label = body[end:semicolon].strip() or f"_{len(anonymous) + 1}"
            if label.startswith("_"):
                anonymous.append(label)
            result.append(f'("{label}", {inner})')
            at = semicolon + 1
            continue
        semicolon = body.find(";", at)
        if semicolon < 0:
            break
        kind, label, length, bits = split_field(body[at:semicolon])
        kind = type_of(kind, known, structs)
        kind = f"{kind} * {length}" if length else kind
        result.append(f'("{label}", {kind}, {bits})' if bits else f'("{label}", {kind})')
        at = semicolon + 1
    return result, anonymous


def declare(name, body, known, structs, out, kind="struct"):
    listed, anonymous = fields(body, name, known, structs, out)
    out.append(f"\n\nclass {name}({'Union' if kind == 'union' else 'Structure'}):")
    if anonymous:
        out.append(f"    _anonymous_ = {tuple(anonymous)!r}")
    out.append("    _fields_ = [")
    out.extend(f"        {field}," for field in listed)
    out.append("    ]")
    structs.append(name)


def values(text):
    """Defines and enumerators with a number, in their order."""
    found = {}
    for name, value in re.findall(r"^#define (JET_\w+|c\w+Cols) (\S.*)$", text, flags=re.M):
        value = re.sub(r"\((JET_\w+)\)", "", value)
        value = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", value)
        if re.fullmatch(r"[-+|<()~0-9a-fA-FxX ]+", value):
            number = eval(value)  # noqa: S307 - digits and operators only
            found[name] = (1 << 64) + number if "~" in value else number
        elif value.strip() in found:
            found[name] = found[value.strip()]
    for body in re.findall(r"typedef enum \{(.*?)\}", text, flags=re.S):
        found.update((name, int(value)) for name, value in re.findall(r"(\w+) = (-?\d+)", body))
    found.pop("JET_API", None)
    return found


def function_types(text, known):
    """Callbacks: pointers to functions that the caller writes."""
    out = []
    pattern = r"typedef ([\w ]+?[\s*]*)\(JET_API \*(\w+)\)\((.*?)\);"
    for result, name, parameters in re.findall(pattern, text, flags=re.S):
        kinds = [type_of(split_field(" ".join(p.split()))[0], known) for p in parameters.split(",")]
        CALLBACKS[name] = None
        text = f"{name} = CFUNCTYPE({', '.join([type_of(result, known), *kinds])})"
        out += textwrap.wrap(text, 96, subsequent_indent=" " * 4)
    return out


def functions(text, known):
    out = []
    pattern = r"^(\w+) JET_API (Jet\w+)\((.*?)\);"
    for result, name, parameters in re.findall(pattern, text, flags=re.S | re.M):
        listed = [] if parameters.strip() == "void" else parameters.split(",")
        pairs = []
        for parameter in listed:
            kind, label, _, _ = split_field(" ".join(parameter.split()))
            pairs.append(f'("{label}", {type_of(kind, known, None)})')
        out.append(f'    "{name}": [')
        out += textwrap.wrap(", ".join(pairs).replace('", ', '",\0'), 96, initial_indent=" " * 8,
                             subsequent_indent=" " * 8)
        out.append("    ],")
    return [line.replace("\0", " ") for line in out]


def render():
    text = without_comments(HEADER.read_text())
    known = aliases(text)
    out = [HEAD]
    out += [f"{name} = {value}" for name, value in values(text).items()]
    out.append("")
    out += function_types(text, known)
    structs = []
    for body, name in re.findall(r"^typedef struct \{\n(.*?)^\} (\w+);", text, flags=re.S | re.M):
        declare(name, body, known, structs, out)
    out.append("\n\n# By name: the parameters in their order. All give a JET_ERR.")
    out.append("FUNCTIONS = {")
    out += functions(text, known)
    out.append("}\n")
    return "\n".join(out)


if __name__ == "__main__":
    OUTPUT.write_text(render())
    print(f"{OUTPUT}: {len(render().splitlines())} lines", file=sys.stderr)
