"""Proofs about a network: what its ONNX graph can do anywhere in a set of inputs.

    graph.py        the ONNX file as a small typed graph for one row
    lowering.py     that graph at given rows as a program of three kinds of steps: linear, ReLU, normalisation
    interval.py     bounds of every value by interval propagation
    crown.py        tighter bounds by linear relaxation, from the outputs backwards
    branch.py       splitting the inputs, and then ReLUs, until a question is answered or the budget is used up
    exact.py        the exact minimum by mixed-integer programming, for small networks
    head.py         label, probabilities and threshold as questions about logits
    vnnlib.py       properties in the format of the verification competition
    verify.py       holds, violated or unknown

**Soundness.** A bound holds for the real-valued function of the graph *and* for its evaluation in float32, in any
order of summation: each linear step is widened by a bound on its rounding error, `4 (k + 2) 2⁻²⁴ (|W| |x| + |b|)` for
sums of k terms (Higham 2002, ch. 3), of which at most a quarter is needed. We compute in float64, whose rounding is 2²⁹
times smaller; the other three quarters are there for it. Half precision, TensorFloat-32 and quantised operators round
more coarsely: graphs that use them are `Unsupported`, and runtimes that put them in on their own are not covered.

What a graph computes beyond linear steps, ReLU and layer normalisation is proven about only where it is constant for
the row; anything else is `Unsupported`, and the answer `unknown` with the operator's name. `violated` needs an input
that ONNX Runtime itself confirms on the same file.
"""
