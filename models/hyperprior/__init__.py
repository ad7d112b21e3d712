"""Hyperprior models (Balle et al. 2018, Minnen et al. 2018), whose weights come from elsewhere."""
