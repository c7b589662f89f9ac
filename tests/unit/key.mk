# unit tests of src/key
