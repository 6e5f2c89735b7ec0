"""How are encoders of the BERT family trained fast, one trial alone or many as one batched model?"""
