"""From a microscopic defect model of a quantum glass to distributions of its couplings and fields.

The model is that of M. Schechter and P. C. E. Stamp, J. Phys.: Condens. Matter 20, 244136 (2008);
equation numbers in this package are that paper's.
"""

__version__ = "0.1.0"
