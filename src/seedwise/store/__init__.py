"""Where are trials and curves kept, so that a kill at any instant loses at most the steps since an evaluation?"""
