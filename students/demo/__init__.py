"""The example county 示例县: invented people, the lists that offices would send about them, and the truth beside them.

Plain Python without Django. `generate(people, seed)` is the way in; `manage.py demo` loads the result through the real
upload path.
"""

from students.demo.county import County, generate
from students.demo.rates import Rates
from students.demo.workbooks import Workbook

__all__ = ["County", "Rates", "Workbook", "generate"]
