# unit tests of src/cmd
