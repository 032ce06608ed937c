# The front door. Everything behind it stands in containerhub/bootstrap/, which needs nothing but Python.

PYTHON := $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(name) -c 'import sys; print("$(name)" if sys.version_info >= (3, 11) else "")' 2>/dev/null)))

.PHONY: up test lint bench lock
up test lint bench lock:
	$(if $(PYTHON),,$(error ContainerHub needs Python 3.11 or newer: install python3.11 (or a newer one), then try again))
	@$(PYTHON) -m containerhub.bootstrap $@
