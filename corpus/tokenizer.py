"""The tokenizer of an export: fetched or trained, and used on pages as plain text."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus.errors import InputError, SettingsError
from corpus.shards import texts
from corpus.tables import replacing

END_OF_TEXT = "<|endoftext|>"
# Names under which tokenizers of this field have an end-of-document token, the first that is there is taken.
EOS_NAMES = (END_OF_TEXT, "</s>", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "<eos>", "<|eos|>", "[EOS]")
MIN_VOCABULARY = 257  # every byte, and END_OF_TEXT
TRAIN_CHARS = 2 * 10**9  # more text changes a vocabulary little, and its distinct words must fit in memory


def fetch_tokenizer(name: str, path: Path) -> None:
    """Copy a tokenizer.json to `path`, byte for byte.

    name: a file, a folder with tokenizer.json, or a repository on the Hugging Face hub
    (owner/name; HF_ENDPOINT and HF_TOKEN are honoured).
    Raises InputError if there is none, or it is not a tokenizer.
    """
    local = Path(name)
    if local.is_dir():
        local /= "tokenizer.json"
    if not local.is_file():
        if name.endswith(".json") or local.is_absolute() or len(local.parts) > 2 or Path(name).exists():
            raise InputError(f"tokenizer {local}: no such file; give a tokenizer.json or a hub name as owner/name")
        try:
            endpoint = os.environ.get("HF_ENDPOINT")
            local = Path(huggingface_hub.hf_hub_download(name, "tokenizer.json", endpoint=endpoint))
        except (HfHubHTTPError, HFValidationError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise InputError(
                f"tokenizer {name}: neither a file here nor a tokenizer.json on the hub ({reason}); "
                "give the path of a tokenizer.json, or a hub name as owner/name"
            ) from error
    with replacing(path) as temporary:
        temporary.write_bytes(local.read_bytes())
        try:
            load_tokenizer(temporary)
        except Exception as error:  # the library raises nothing narrower
            raise InputError(
                f"tokenizer {name}: {local} is not a file of the tokenizers library ({error}); "
                "convert it to tokenizer.json with transformers' save_pretrained"
            ) from error


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a tokenizer.json, as_plain_text."""
    return as_plain_text(Tokenizer.from_file(str(path)))


def as_plain_text(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer, changed: it cuts and pads nothing, and reads special tokens in a text as text.

    A page may quote <|endoftext|>; taken for the token, it would end the document there.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def train_tokenizer(shards: Sequence[Path], vocabulary: int, path: Path) -> None:
    """Train a byte-level BPE on the text of shards and write it to `path`; same texts, same bytes.

    vocabulary: tokens, with 256 bytes and <|endoftext|>; a small corpus may yield fewer.
    Every k-th page is read, k such that about TRAIN_CHARS characters are. Each digit is a
    token of its own, as in DeepSeek LLM (arXiv 2401.02954, section 2.1).
    Raises SettingsError if the vocabulary is too small.
    """
    if vocabulary < MIN_VOCABULARY:
        raise SettingsError(
            f"a vocabulary of {vocabulary} cannot hold 256 bytes and {END_OF_TEXT}: ask for 257 or more"
        )
    n_chars = sum(pc.sum(pq.read_table(shard, columns=["n_chars"])["n_chars"]).as_py() for shard in shards)
    every = math.ceil(n_chars / TRAIN_CHARS) or 1
    pages = (text for shard in shards for text in texts(shard))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((text for number, text in enumerate(pages) if number % every == 0), trainer)
    with replacing(path) as temporary:
        tokenizer.save(str(temporary))


def end_of_document(tokenizer: Tokenizer, eos: str | None) -> tuple[str, int]:
    """The end-of-document token and its id: `eos`, else the first of EOS_NAMES that there is.

    Raises InputError that lists the tokenizer's special tokens if there is none.
    """
    for token in (eos,) if eos else EOS_NAMES:
        number = tokenizer.token_to_id(token)
        if number is not None:
            return token, number
    special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
    lacks = f"no token {eos!r}" if eos else "no end-of-document token of a known name"
    listed = (
        f"name one of its special tokens with --eos: {', '.join(special)}" if special else "it has no special tokens"
    )
    raise InputError(f"the tokenizer has {lacks}; {listed}")


def n_embeddings(tokenizer: Tokenizer) -> int:
    """Highest id plus one; a vocabulary with gaps has ids above its size."""
    return max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
