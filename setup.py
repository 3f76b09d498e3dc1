"""Ships data/ inside the wheel as optimizer/_data; a checkout reads it in place."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["models*", "optimizer*"]), "optimizer._data"],
    package_dir={"optimizer._data": "data"},
    package_data={"optimizer._data": ["**/*"]},
)
