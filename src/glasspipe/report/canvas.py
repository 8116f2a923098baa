"""The canvas on which figures are laid out and drawn."""

from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

_TEXTS = 4096


class _Remembering(MathTextParser):
    """Typesets a text in TeX's math mode once, for all figures and formats of a process.

    Matplotlib remembers fifty and forgets them with each canvas, of which every figure has some.
    """

    def parse(
        self,
        s: str,
        dpi: float = 72,
        prop: FontProperties | None = None,
        *,
        antialiased: bool | None = None,
    ) -> Any:
        return self._remembered(s, dpi, prop and prop.copy(), antialiased)

    @lru_cache(_TEXTS)  # noqa: B019
    def _remembered(
        self, s: str, dpi: float, prop: FontProperties | None, antialiased: bool | None
    ) -> Any:
        return super().parse(s, dpi, prop, antialiased=antialiased)


_PARSER = _Remembering("path")


class Canvas(FigureCanvasAgg):
    """A canvas of pixels that remembers how texts are set."""

    def get_renderer(self) -> RendererAgg:
        """Return what draws on it."""
        renderer = super().get_renderer()
        renderer.mathtext_parser = _PARSER
        return renderer
