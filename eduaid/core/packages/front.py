"""The sheet in front: every problem with a link to its cell."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from eduaid.core.packages.shapes import HEAD, MAIN, Front, xml_text
from eduaid.core.packages.styles import Styles
from eduaid.core.workbooks import column_name

_MOST_LINKS = 60_000


def front_xml(front: Front, names: Sequence[str], styles: Styles) -> str:
    above = [front.title, *front.lines]
    header = len(above) + 1
    last = column_name(len(front.headers) - 1)

    def cell(column: int, row: int, style: int, text: str) -> str:
        return (
            f'<c r="{column_name(column)}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{xml_text(text)}</t></is></c>'
            if text
            else f'<c r="{column_name(column)}{row}" s="{style}"/>'
        )

    rows = [
        f'<row r="{number}">{cell(0, number, styles.title if number == 1 else styles.said, line)}</row>'
        for number, line in enumerate(above, 1)
    ]
    heads = "".join(cell(column, header, styles.header, text) for column, text in enumerate(front.headers))
    rows.append(f'<row r="{header}">{heads}</row>')
    links: list[str] = []
    for number, entry in enumerate(front.entries, header + 1):
        is_link = entry.sheet is not None and entry.row is not None and len(links) < _MOST_LINKS
        cells = "".join(
            cell(column, number, styles.link if is_link and column == front.link_column else styles.said, text)
            for column, text in enumerate(entry.texts)
        )
        rows.append(f'<row r="{number}">{cells}</row>')
        if is_link and entry.sheet is not None:
            quoted = names[entry.sheet].replace("'", "''")
            place = quoteattr(f"'{quoted}'!{column_name(entry.column or 0)}{entry.row}")
            links.append(f'<hyperlink ref="{column_name(front.link_column)}{number}" location={place}/>')
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(front.widths, 1)
    )
    merges = "".join(f'<mergeCell ref="A{row}:{last}{row}"/>' for row in range(1, header))
    linked = f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else ""
    return (
        f'{HEAD}<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView '
        f'tabSelected="1" workbookViewId="0"><pane ySplit="{header}" topLeftCell="A{header + 1}" activePane="bottomLeft" '
        f'state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="16"/><cols>{widths}</cols>'
        f"<sheetData>{''.join(rows)}</sheetData>"
        f'<autoFilter ref="A{header}:{last}{header + max(len(front.entries), 1)}"/>'
        f'<mergeCells count="{header - 1}">{merges}</mergeCells>{linked}'
        '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    )
