"""The names of Chongming's 18 townships, in the order of their official codes.

Source: the published list of 16 towns (镇) and 2 townships (乡) of the district.
"""

from typing import Final

TOWNSHIPS: Final[tuple[str, ...]] = (
    "城桥镇",
    "堡镇",
    "新河镇",
    "庙镇",
    "竖新镇",
    "向化镇",
    "三星镇",
    "港沿镇",
    "中兴镇",
    "陈家镇",
    "绿华镇",
    "港西镇",
    "建设镇",
    "新海镇",
    "东平镇",
    "长兴镇",
    "新村乡",
    "横沙乡",
)
