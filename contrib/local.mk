# what contrib/ adds to the distribution
