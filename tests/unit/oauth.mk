# unit tests of src/oauth
