"""The ablation of training: one part left out at a time, the rest equal, measured at equal quality."""
