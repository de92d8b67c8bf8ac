"""Makes Tests/WordPieceTests/Fixtures/goldens.json: what the reference tokenizer answers.

Usage: tokenizer_goldens.py VOCABULARY (the 21128-token one of RoBERTa-wwm-ext). Offsets are
UTF-8 bytes.
"""

import json
import sys
from pathlib import Path

from tokenizers import BertWordPieceTokenizer

OUT = Path(__file__).resolve().parents[2] / "Tests/WordPieceTests/Fixtures/goldens.json"

TEXTS = [
    "", " ", "\t\n\r", "\x0b\x0c", "周杰伦1979年生于台湾", "Hello WORLD", "[sep] [ SEP ]", "a[UNK]b",
    "İstanbul ΣΑΣ Ὀδυσσεύς", "café naïve résumé", "cafe\u0301", "한국어 김치", "ﬁnance ﬃ",
    "A\u200bB\u200dC", "soft\xadhyphen", "a\x0bb\x0cc", "a\x00b\ufffdc", "　全角空格　",
    "ＡＢＣ１２３", "～－＋｜", "“引号”—…", "\U00020000\U0002a700\U0002b740\U0002b820\U0002b920",
    "豈更\U0002f800", "㐂䶵", "👨\u200d👩\u200d👧家庭", "❤\ufe0f爱", "x" * 100, "x" * 101,
    "中" + "a" * 101 + "b", "1,234.56%", "C++/C#", "don't", "U.S.A.", "第①②③条", "℃㎡№", "㊀㍿",
    "ｶﾞギ", "がぎぐ", "ё й Й", "ß ẞ", "ǅ ǆ", "Ⅷ ⅷ", "Ω Ω", "K K", "Å Å", "\ue000私用区",
    "\u0378未分配", "\u2028行\u2029段", "\ufeff开头BOM", "a\u0300\u0301\u0302b", "\u0300孤立",
    "é" * 30, "测试 test测试test", "http://a.b/c?d=e&f=g", "2022-11-23T02:20:00Z", "ϓ Ὰ ᾳ",
    "\u180e蒙", "ẛ\u0323", "ﷺ", "①𝟘𝐀𝒜", "ⅣＩＶ", "≠≮≯", "a≠b", "क्षत्रिय", "ก็ตาม", "עִבְרִית",
    "\U0001d16d\U0001d165", "a\U0001d16d\u0300\U0001d165b", "\u302e\U0001d165中",
    "\U0001d165\u1734\u036d", "\U0001d15e\u0334\U0001d16d", "\U0001d160\u0334x", "\U0001d16d\u200b\U0001d165",
    "a\u0941\U0001d16d\u0f73\U0001d165", "\u0344\u302e", "\u1b44\u08d4\u1b44",
    "《宝宝观察力训练》是2009年上海科学普及出版社出版的图书，作者是林怡育儿工作室。",
    "查尔斯·阿兰基斯（Charles Aránguiz），1989年4月17日出生于智利圣地亚哥",
]  # fmt: skip
SPECIAL = ["[SEP]注入[CLS]测试[MASK]", "a[UNK]b", "[[SEP]]", "[SEP", "[PAD]\u0301x", "[sep]"]


def row(reference, text, special):
    encoding = reference.encode(text)
    width = lambda count: len(text[:count].encode())
    offsets = [[width(start), width(end)] for start, end in encoding.offsets]
    return {"text": text, "special": special, "ids": encoding.ids, "offsets": offsets}


def main():
    reference = BertWordPieceTokenizer(sys.argv[1], lowercase=True)
    reference._tokenizer.encode_special_tokens = True
    rows = [row(reference, text, False) for text in TEXTS]
    reference._tokenizer.encode_special_tokens = False
    rows += [row(reference, text, True) for text in SPECIAL]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
    OUT.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
