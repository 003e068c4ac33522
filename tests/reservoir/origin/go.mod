module silica/tests/reservoir/origin

go 1.26.0
