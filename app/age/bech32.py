"""Bech32 (BIP 173), the encoding of keys in the age format."""

BECH32_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM_WORDS = 6
WORD_BITS = 5


def encode_bech32(prefix: str, data: bytes) -> str:
    """`prefix` must be in lower case."""
    words = _words_of(data)
    expanded = [ord(each) >> WORD_BITS for each in prefix] + [0] + [ord(each) & 31 for each in prefix]
    remainder = _polymod([*expanded, *words, *[0] * CHECKSUM_WORDS]) ^ 1
    checksum = [(remainder >> WORD_BITS * place) & 31 for place in reversed(range(CHECKSUM_WORDS))]
    return f"{prefix}1{''.join(BECH32_ALPHABET[word] for word in [*words, *checksum])}"


def decode_bech32(text: str) -> bytes:
    """`text` must be in lower case. The checksum is not verified: let `pyrage` parse or write it first."""
    words = [BECH32_ALPHABET.index(each) for each in text.rpartition("1")[2][:-CHECKSUM_WORDS]]
    bits = len(words) * WORD_BITS
    number = 0
    for word in words:
        number = number << WORD_BITS | word
    return (number >> bits % 8).to_bytes(bits // 8)


def _words_of(data: bytes) -> list[int]:
    """The last is padded with zeros."""
    bits = len(data) * 8
    count = -(-bits // WORD_BITS)
    number = int.from_bytes(data) << count * WORD_BITS - bits
    return [(number >> WORD_BITS * place) & 31 for place in reversed(range(count))]


def _polymod(words: list[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << WORD_BITS ^ word
        for place, generator in enumerate(GENERATORS):
            checksum ^= generator if (top >> place) & 1 else 0
    return checksum
