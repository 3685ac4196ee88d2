"""Knowledge as files: a folder of YAML becomes an Edition, or is refused with file and line."""

from csfinterp.knowledge.diff import diff_editions, new_edition, release_edition
from csfinterp.knowledge.listing import EditionInfo, list_editions
from csfinterp.knowledge.load import check_edition, load_edition
from csfinterp.knowledge.site import apply_site_rules, load_code_map, load_site_rules

__all__ = [
    "EditionInfo",
    "apply_site_rules",
    "check_edition",
    "diff_editions",
    "list_editions",
    "load_code_map",
    "load_edition",
    "load_site_rules",
    "new_edition",
    "release_edition",
]
