"""Telling the language of a text, in the child: the identifier needs numpy, which the program itself does not load."""

from __future__ import annotations

from advisor.engine.native import NativeError
from advisor.engine.smoke_messages import Identified, IdentifyParams, IdentifyResult


def identify(params: IdentifyParams) -> IdentifyResult:
    """The likeliest language of each text. Raises NativeError where the identifier is not installed."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise NativeError("request", f"py3langid cannot be loaded: {error}") from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found = [identifier.classify(text) for text in params.texts]
    return IdentifyResult(tuple([Identified(str(tag), float(probability)) for tag, probability in found]))
