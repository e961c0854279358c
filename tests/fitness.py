"""What axe finds wrong with a page, without looking at the same thing a hundred times."""

import json
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    # What is in order it would list as well, which takes it nearly as long again.
    "resultTypes": ["violations"],
}
MARK = "data-looked-at"
# Contrast takes axe longer than all its other rules. It comes of an element's own colours, its
# type and what lies behind it: where those are the same, so is the contrast.
CHOOSE_LOOKS = """mark => {
    const behind = new Map()
    const lying = element => {
        if (element === null) return ''
        if (!behind.has(element)) {
            const style = getComputedStyle(element)
            const own = [style.backgroundColor, style.backgroundImage, style.opacity,
                         style.position, element.matches(':disabled, [aria-disabled=true]')]
            const own_text = own.join(' ')
            const parent = lying(element.parentElement)
            const plain = own_text === 'rgba(0, 0, 0, 0) none 1 static false'
            behind.set(element, plain ? parent : `${parent}/${own_text}`)
        }
        return behind.get(element)
    }
    const seen = new Set()
    for (const element of document.body.querySelectorAll('*')) {
        const says = [...element.childNodes].some(
            node => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ''
        ) || element.matches('input, select, textarea')
        const box = element.getBoundingClientRect()
        if (!says || !element.checkVisibility() || box.width <= 1 || box.height <= 1) continue
        const style = getComputedStyle(element)
        const look = [lying(element), element.tagName, style.color, style.fontSize,
                      style.fontWeight, style.textShadow, style.clipPath,
                      element.closest('label')?.control?.disabled].join('|')
        if (!seen.has(look)) element.setAttribute(mark, '')
        seen.add(look)
    }
}"""


def find_faults(page: Page, *, is_long: bool = False) -> list[Any]:
    """The rules that the page breaks, each with the elements that do: none, if all is well.

    Contrast is measured on one element of each look; where `is_long`, on every one.
    """
    axe = Axe()
    page.evaluate(axe.axe_script)
    if not is_long:
        page.evaluate(CHOOSE_LOOKS, MARK)
        rule = {"id": "color-contrast", "selector": f"[{MARK}]"}
        page.evaluate("rule => axe.configure({rules: [rule]})", rule)
    found: list[Any] = page.evaluate(
        f"axe.run({json.dumps(OPTIONS)}).then(found => found.violations)"
    )
    return [
        (fault["id"], fault["help"], [node["html"][:200] for node in fault["nodes"]])
        for fault in found
    ]
