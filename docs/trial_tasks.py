"""Write docs/examples/trial-200.jsonl, 200 small tasks made for this project: `python -m docs.trial_tasks`."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent / "examples" / "trial-200.jsonl"
N_TASKS = 200

Line = dict[str, Any]

_WORD = {"kind": "contains", "ignore_case": True}

_REVIEWS = (
    ("The soup was cold and the waiter was rude.", "negative"),
    ("I would buy this lamp again at once.", "positive"),
    ("The battery died after two days.", "negative"),
    ("Best concert of my life!", "positive"),
    ("The room smelled of smoke and the shower leaked.", "negative"),
    ("Fast delivery and a friendly note in the box.", "positive"),
    ("It broke on the first evening.", "negative"),
    ("My children laughed from beginning to end.", "positive"),
    ("Never again, I want my money back.", "negative"),
    ("The guide was patient and knew every bird.", "positive"),
    ("The shoes hurt and the colour faded.", "negative"),
    ("A wonderful book, I read it in one night.", "positive"),
)
_TICKETS = (
    ("I was charged twice for order 1182.", "billing"),
    ("My parcel has not arrived for three weeks.", "delivery"),
    ("The app closes as soon as I open it.", "technical"),
    ("Please send me an invoice for March.", "billing"),
    ("The courier left the box in the rain.", "delivery"),
    ("I cannot log in, it says error 500.", "technical"),
    ("Why is there a fee of 3 euros on my bill?", "billing"),
    ("Where is my package now?", "delivery"),
    ("The screen stays black after the update.", "technical"),
)
_LANGUAGES = (
    ("Où est la gare, s'il vous plaît ?", "French"),
    ("Ich habe gestern einen Brief geschrieben.", "German"),
    ("¿Cuánto cuesta este libro?", "Spanish"),
    ("Dove posso comprare il biglietto?", "Italian"),
    ("O comboio chega às nove horas.", "Portuguese"),
    ("De kat slaapt op de stoel.", "Dutch"),
    ("Le chat dort sur la chaise.", "French"),
    ("Der Zug fährt um neun Uhr ab.", "German"),
    ("Mañana vamos a la playa.", "Spanish"),
)
_WORDS = (
    ("French", "house", ("maison",)), ("French", "water", ("eau",)), ("French", "dog", ("chien",)),
    ("French", "book", ("livre",)), ("French", "thank you", ("merci",)), ("French", "bread", ("pain",)),
    ("German", "house", ("Haus",)), ("German", "water", ("Wasser",)), ("German", "dog", ("Hund",)),
    ("German", "book", ("Buch",)), ("German", "thank you", ("danke",)), ("German", "bread", ("Brot",)),
    ("Spanish", "house", ("casa",)), ("Spanish", "water", ("agua",)), ("Spanish", "dog", ("perro",)),
    ("Spanish", "book", ("libro",)), ("Spanish", "thank you", ("gracias",)), ("Spanish", "bread", ("pan",)),
    ("Italian", "house", ("casa",)), ("Italian", "water", ("acqua",)), ("Italian", "dog", ("cane",)),
    ("Italian", "book", ("libro",)), ("Italian", "thank you", ("grazie",)), ("Italian", "bread", ("pane",)),
)  # fmt: skip
_QUESTIONS: tuple[tuple[str, str, int | tuple[str, ...]], ...] = (
    ("fr", "Quelle est la capitale de l'Italie ? Réponds en un mot.", ("Rome",)),
    ("fr", "Combien de jours y a-t-il dans une semaine ? Réponds avec un nombre.", 7),
    ("fr", "De quelle couleur est la neige ? Réponds en un mot.", ("blanc",)),
    ("fr", "Quel animal miaule ? Réponds en un mot.", ("chat",)),
    ("fr", "Combien font 6 plus 7 ? Réponds avec un nombre.", 13),
    ("de", "Wie heißt die Hauptstadt von Frankreich? Antworte mit einem Wort.", ("Paris",)),
    ("de", "Wie viele Monate hat ein Jahr? Antworte mit einer Zahl.", 12),
    ("de", "Welche Farbe hat Gras? Antworte mit einem Wort.", ("grün",)),
    ("de", "Welches Tier bellt? Antworte mit einem Wort.", ("Hund",)),
    ("de", "Wie viel ist 9 minus 4? Antworte mit einer Zahl.", 5),
    ("es", "¿Cuál es la capital de Alemania? Responde con una palabra.", ("Berlín", "Berlin")),
    ("es", "¿Cuántas horas tiene un día? Responde con un número.", 24),
    ("it", "Qual è la capitale della Spagna? Rispondi con una parola.", ("Madrid",)),
    ("it", "Quanti minuti ci sono in un'ora? Rispondi con un numero.", 60),
)
_CAPITALS = (
    ("France", "Paris"), ("Germany", "Berlin"), ("Spain", "Madrid"), ("Italy", "Rome"), ("Portugal", "Lisbon"),
    ("Austria", "Vienna"), ("Greece", "Athens"), ("Poland", "Warsaw"), ("Ireland", "Dublin"), ("Japan", "Tokyo"),
    ("Egypt", "Cairo"), ("Norway", "Oslo"), ("Sweden", "Stockholm"), ("Finland", "Helsinki"), ("Canada", "Ottawa"),
    ("Peru", "Lima"),
)  # fmt: skip
_PEOPLE = (
    ("Anna Berg", 34, "Oslo"), ("Luis Romero", 51, "Lima"), ("Mia Novak", 27, "Prague"), ("Jan de Wit", 45, "Utrecht"),
    ("Chloé Martin", 19, "Lyon"), ("Omar Haddad", 62, "Tunis"), ("Eva Schmidt", 38, "Graz"), ("Ivo Rossi", 23, "Bari"),
)  # fmt: skip
_SORTS = ("pear apple fig", "sun moon cloud", "nine four two", "red blue green", "cat ant bee", "oak elm ash")
_COUNTED = ("banana", "letter", "coffee", "mirror", "pepper", "summer", "noodle", "hello", "needle")
_SHAPE_OF_PERSON = {
    "type": "object",
    "required": ["name", "age", "city"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"}},
}


def lines() -> list[Line]:
    """All tasks, in their order."""
    found = [
        *_arithmetic(random.Random(7)),
        *_extraction(random.Random(8)),
        *_classification(),
        *_json(),
        *_translation(),
        *_foreign(),
        *_facts(),
        *_text_work(),
        *_formats(random.Random(9)),
    ]
    assert len(found) == N_TASKS, len(found)
    return found


def text() -> str:
    """The file."""
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines())


def _line(task_id: str, tag: str, prompt: str, expected: Any, check: Any, max_tokens: int = 24) -> Line:
    return {
        "id": task_id, "tags": [tag], "prompt": prompt, "expected": expected, "check": check, "max_tokens": max_tokens,
    }  # fmt: skip


def _arithmetic(drawn: random.Random) -> Iterator[Line]:
    seen: set[tuple[int, str, int]] = set()
    number = 0
    while number < 54:
        sign = "+-*"[number % 3]
        (low, high), most = ((2, 12), 9) if sign == "*" else ((5, 60), 40)
        a, b = drawn.randint(low, high), drawn.randint(2, most)
        if sign == "-" and b > a:
            a, b = b, a
        if (a, sign, b) in seen:
            continue
        seen.add((a, sign, b))
        number += 1
        result = {"+": a + b, "-": a - b, "*": a * b}[sign]
        prompt = f"{a} {sign} {b} = ? Answer with the number alone."
        yield _line(f"arithmetic-{number:02}", "arithmetic", prompt, result, "numeric")


def _extraction(drawn: random.Random) -> Iterator[Line]:
    for number, (name, age, city) in enumerate(_PEOPLE, start=1):
        mail = f"{name.split()[0].lower().replace('é', 'e')}@{city.lower()}.example"
        text_ = f"{name}, aged {age}, lives in {city}; write to {mail} before noon."
        yield _line(f"mail-{number:02}", "extraction", f"Copy the e-mail address from this text: {text_}", mail, _WORD)
        yield _line(f"city-{number:02}", "extraction", f"In which city does the person live? {text_}", city, _WORD)
    for number in range(1, 11):
        price, order = drawn.randint(11, 99), drawn.randint(1000, 9999)
        text_ = f"Order {order} was paid by card on Monday; the total was {price} euros."
        asked, expected = ("total in euros", price) if number % 2 else ("order number", order)
        yield _line(f"amount-{number:02}", "extraction", f"{text_} What is the {asked}?", expected, "numeric")


def _classification() -> Iterator[Line]:
    for number, (review, label) in enumerate(_REVIEWS, start=1):
        prompt = f"Is this review positive or negative? Answer with one word.\n{review}"
        yield _line(f"review-{number:02}", "classification", prompt, label, _label(label, "positive negative"))
    for number, (ticket, label) in enumerate(_TICKETS, start=1):
        prompt = f"Sort this message into billing, delivery or technical. Answer with one word.\n{ticket}"
        yield _line(f"ticket-{number:02}", "classification", prompt, label, _label(label, "billing delivery technical"))
    for number, (sentence, language) in enumerate(_LANGUAGES, start=1):
        prompt = f"In which language is this sentence? Answer with one word.\n{sentence}"
        yield _line(f"language-{number:02}", "classification", prompt, language, _WORD)


def _label(label: str, labels: str) -> Line:
    """The answer names the label and none of the others, in whatever sentence."""
    others = "|".join(other for other in labels.split() if other != label)
    return {"kind": "regex", "pattern": rf"(?is)\A(?!.*\b({others})\b).*\b{label}\b"}


def _json() -> Iterator[Line]:
    check = {"kind": "json_schema", "schema": _SHAPE_OF_PERSON}
    for number, (name, age, city) in enumerate(_PEOPLE, start=1):
        prompt = f"Answer with a JSON object with the keys name, age (a number) and city: {name}, {age}, from {city}."
        expected = {"name": name, "age": age, "city": city}
        yield _line(f"json-{number:02}", "json", prompt, expected, check, 48)


def _translation() -> Iterator[Line]:
    for number, (language, word, expected) in enumerate(_WORDS, start=1):
        prompt = f'What is the {language} word for "{word}"? Answer with the {language} word alone.'
        yield _line(f"translation-{number:02}", "translation", prompt, list(expected), _WORD)


def _foreign() -> Iterator[Line]:
    for number, (tag, question, expected) in enumerate(_QUESTIONS, start=1):
        check: Any = "numeric" if isinstance(expected, int) else {**_WORD, "amount": "any"}
        wanted: Any = expected
        yield _line(f"foreign-{tag}-{number:02}", "foreign", question, wanted, check)


def _facts() -> Iterator[Line]:
    for number, (country, capital) in enumerate(_CAPITALS, start=1):
        prompt = f"What is the capital of {country}? Answer with its name."
        yield _line(f"capital-{number:02}", "facts", prompt, capital, _WORD)


def _text_work() -> Iterator[Line]:
    for number, words in enumerate(_SORTS, start=1):
        prompt = f"Sort these words by the alphabet, with spaces between them: {words}"
        yield _line(f"sort-{number:02}", "text", prompt, " ".join(sorted(words.split())), _WORD)
    for number, word in enumerate(_COUNTED, start=1):
        prompt = f'How many letters does the word "{word}" have? Answer with a number.'
        yield _line(f"length-{number:02}", "text", prompt, len(word), "numeric")


def _formats(drawn: random.Random) -> Iterator[Line]:
    months = ("January", "February", "March", "April", "May", "June", "July", "August", "September")
    for number, month in enumerate(months, start=1):
        year, day = drawn.randint(1990, 2024), drawn.randint(1, 28)
        prompt = f"Write this date as YYYY-MM-DD: {day} {month} {year}"
        check = {"kind": "regex", "pattern": rf"\b{year}-{number:02}-{day:02}\b"}
        yield _line(f"date-{number:02}", "format", prompt, f"{year}-{number:02}-{day:02}", check)
    for number, word in enumerate(("apple", "tiger", "window", "garden"), start=1):
        check = {"kind": "regex", "pattern": rf"\A\W*{word.upper()}\W*\Z"}
        prompt = f'Write the word "{word}" in capital letters and nothing else.'
        yield _line(f"capitals-{number:02}", "format", prompt, word.upper(), check)


if __name__ == "__main__":
    PLACE.write_text(text(), encoding="utf-8", newline="\n")
