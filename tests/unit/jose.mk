# unit tests of src/jose
