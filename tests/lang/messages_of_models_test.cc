// Messages about mistakes in models, and expressions in them, word for word.
#include "tests/lang/messages.h"

namespace {

TEST(Messages, Parameter)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  parameter W[4, 3\n"
         "  y = x @ W\n",
         "my.rv:3:19: error: the end of the line, expected \",\" or \"]\"\n"
         "    3 |   parameter W[4, 3\n"
         "      |                   ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  parameter W[4, k]\n"
         "  y = x @ W\n",
         "my.rv:3:18: error: \"k\" is not defined above\n"
         "    3 |   parameter W[4, k]\n"
         "      |                  ^ declare a size: model m(k=2)\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  parameter W[5, 3]\n"
         "  y = x @ W\n",
         "my.rv:4:7: error: matmul: inner sizes 4 and 5 differ (a \"x\" [2,4], b \"W\" [5,3]); "
         "transpose or reshape one of them\n"
         "    4 |   y = x @ W\n"
         "      |       ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x @ W[5, 3]\n",
         "my.rv:3:7: error: matmul: inner sizes 4 and 5 differ (a \"x\" [2,4], b \"W\" [5,3]); "
         "transpose or reshape one of them\n"
         "    3 |   y = x @ W[5, 3]\n"
         "      |       ^~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = conv(x, W[1, _, 3, 3])\n",
         "my.rv:3:15: error: \"W\" maps images [n,channels,height,width], but is given [2,4]\n"
         "    3 |   y = conv(x, W[1, _, 3, 3])\n"
         "      |               ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  parameter W[_, 3]\n"
         "  y = x + W\n",
         "my.rv:4:11: error: the shape of \"W\" does not follow from here; write all its sizes\n"
         "    4 |   y = x + W\n"
         "      |           ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x W\n",
         "my.rv:3:7: error: \"x\" is not a map\n"
         "    3 |   y = x W\n"
         "      |       ^ a product is written x.W, one of matrices x @ W\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  parameter W[4, 3] ~ integer(0, 3)\n"
         "  y = x @ W\n",
         "my.rv:3:23: error: integer is for inputs\n"
         "    3 |   parameter W[4, 3] ~ integer(0, 3)\n"
         "      |                       ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  parameter W[4, 0]\n"
         "  y = x @ W\n",
         "my.rv:3:18: error: 0, expected a whole number from 1 to 2147483647\n"
         "    3 |   parameter W[4, 0]\n"
         "      |                  ^\n"},
    });
}

TEST(Messages, Constant)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  constant c\n",
         "my.rv:3:12: error: \"c\" needs a shape, as in: x[2,8]\n"
         "    3 |   constant c\n"
         "      |            ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  constant c[2] = z\n",
         "my.rv:3:19: error: \"z\" is not defined above\n"
         "    3 |   constant c[2] = z\n"
         "      |                   ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  constant c[3] = 1\n"
         "  y = x + c\n",
         "my.rv:4:7: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal or 1 (x \"x\" [2,4], \"c\" [3]); reshape one of them\n"
         "    4 |   y = x + c\n"
         "      |       ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  constant c[3, = 1\n",
         "my.rv:3:17: error: \"=\", expected a value\n"
         "    3 |   constant c[3, = 1\n"
         "      |                 ^\n"},
    });
}

TEST(Messages, Input)
{
    expect_messages({
        {"model m\n"
         "  input x\n",
         "my.rv:2:9: error: \"x\" needs a shape, as in: x[2,8]\n"
         "    2 |   input x\n"
         "      |         ^\n"},
        {"model m\n"
         "  input x[n]\n",
         "my.rv:2:11: error: \"n\" is not defined above\n"
         "    2 |   input x[n]\n"
         "      |           ^ declare a size: model m(n=2)\n"},
        {"model m(n)\n"
         "  input x[n]\n",
         "my.rv:1:9: error: \"n\", expected a size and its default, as in: model digits(n=2)\n"
         "    1 | model m(n)\n"
         "      |         ^\n"},
        {"model m(n=2\n"
         "  input x[n]\n",
         "my.rv:2:3: error: \"input\", expected \",\" or \")\"\n"
         "    2 |   input x[n]\n"
         "      |   ^~~~~\n"},
        {"model m(n=2.5)\n"
         "  input x[n]\n",
         "my.rv:1:11: error: 2.5, expected a whole number from 1 to 2147483647\n"
         "    1 | model m(n=2.5)\n"
         "      |           ^~~\n"},
        {"model m\n"
         "  input x[2, 4], x[3]\n",
         "my.rv:2:18: error: \"x\" is already defined\n"
         "    2 |   input x[2, 4], x[3]\n"
         "      |                  ^ see line 2\n"},
        {"model m\n"
         "  input x[2, 4] ~ unifrom(0, 1)\n",
         "my.rv:2:19: error: expected a distribution after ~, as in: W ~ normal(0, 0.1)\n"
         "    2 |   input x[2, 4] ~ unifrom(0, 1)\n"
         "      |                   ^~~~~~~~~~~~~ did you mean \"uniform\"?\n"},
        {"model m\n"
         "  input x[100000, 10000]\n",
         "my.rv:2:9: error: inputs and parameters of more than 268435456 numbers; make it smaller\n"
         "    2 |   input x[100000, 10000]\n"
         "      |         ^~~~~~~~~~~~~~~~\n"},
        {"cell c\n"
         "  input x[2]\n",
         "my.rv:1:1: error: the cell \"c\" has no state; declare one: state h\n"
         "    1 | cell c\n"
         "      | ^~~~~~\n"
         "my.rv:2:3: error: \"input\" cannot be declared here\n"
         "    2 |   input x[2]\n"
         "      |   ^~~~~ only a model declares it\n"},
        {"model m\n"
         "  input x[2][3]\n",
         "my.rv:2:13: error: \"[\", expected the end of the line or an operator\n"
         "    2 |   input x[2][3]\n"
         "      |             ^\n"},
    });
}

TEST(Messages, Definition)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x +\n",
         "my.rv:3:10: error: the end of the line, expected a value\n"
         "    3 |   y = x +\n"
         "      |          ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y == x\n",
         "my.rv:3:6: error: \"=\", expected a value\n"
         "    3 |   y == x\n"
         "      |      ^ equal compares values: a = equal(g, h)\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y\n",
         "my.rv:3:4: error: the end of the line, expected \"=\" and a value; declarations start "
         "with state, map, bias, parameter, input, ..\n"
         "    3 |   y\n"
         "      |    ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = (x\n",
         "my.rv:3:9: error: the end of the line, expected \")\" or an operator\n"
         "    3 |   y = (x\n"
         "      |         ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x)\n",
         "my.rv:3:8: error: \")\", expected the end of the line or an operator\n"
         "    3 |   y = x)\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = 2x\n",
         "my.rv:3:8: error: \"x\", expected an operator: a product is written 2.x\n"
         "    3 |   y = 2x\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  3 = x\n",
         "my.rv:3:3: error: cannot assign to this; write a name, as in: g = sigmoid(x)\n"
         "    3 |   3 = x\n"
         "      |   ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x[0, 4]\n",
         "my.rv:3:12: error: 4, expected a whole number from -4 to 3\n"
         "    3 |   y = x[0, 4]\n"
         "      |            ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = z\n"
         "  w = z + 1\n"
         "  v = y + w\n",
         "my.rv:3:7: error: \"z\" is not defined above\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  x = 2\n",
         "my.rv:3:3: error: \"x\" is already defined\n"
         "    3 |   x = 2\n"
         "      |   ^ see line 2\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + [1, 2]\n",
         "my.rv:3:7: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal "
         "or 1 (x \"x\" [2,4], constant#1 [2]); reshape one of them\n"
         "    3 |   y = x + [1, 2]\n"
         "      |       ^~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + []\n",
         "my.rv:3:11: error: a list, expected a tensor or a number\n"
         "    3 |   y = x + []\n"
         "      |           ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + [1, x]\n",
         "my.rv:3:15: error: a tensor in a list of numbers; stack(a, b) joins tensors\n"
         "    3 |   y = x + [1, x]\n"
         "      |               ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x @ x\n",
         "my.rv:3:7: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    3 |   y = x @ x\n"
         "      |       ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + ones\n",
         "my.rv:3:11: error: \"ones\" is not defined above\n"
         "    3 |   y = x + ones\n"
         "      |           ^~~~ a parameter has a shape: ones[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = sum(x, axis=0)\n",
         "my.rv:3:14: error: sum has no option \"axis\"\n"
         "    3 |   y = sum(x, axis=0)\n"
         "      |              ^~~~ did you mean \"axes\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = reshape(x, shape=[3, 3])\n",
         "my.rv:3:7: error: reshape: 8 elements do not fill [3,3] (x \"x\" [2,4]); keep their "
         "number\n"
         "    3 |   y = reshape(x, shape=[3, 3])\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = reshape(x)\n",
         "my.rv:3:7: error: reshape needs shape=: of y; one size may be -1: what is left\n"
         "    3 |   y = reshape(x)\n"
         "      |       ^~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = tanh(x, 3)\n",
         "my.rv:3:7: error: tanh takes x: y = (e^x - e^-x) / (e^x + e^-x)\n"
         "    3 |   y = tanh(x, 3)\n"
         "      |       ^~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x $ 2\n",
         "my.rv:3:9: error: this character means nothing here\n"
         "    3 |   y = x $ 2\n"
         "      |         ^ leave it out\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = \"x\n",
         "my.rv:3:7: error: this text has no end; close it with \"\n"
         "    3 |   y = \"x\n"
         "      |       ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = 1 / 0\n",
         "my.rv:3:7: error: this is not a finite number\n"
         "    3 |   y = 1 / 0\n"
         "      |       ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x[0]'\n",
         "my.rv:3:7: error: [4] has no transpose, expected two axes\n"
         "    3 |   y = x[0]'\n"
         "      |       ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = softmax(x, 7)\n",
         "my.rv:3:7: error: softmax: axis 7 of a tensor of rank 2; use 0 .. rank-1\n"
         "    3 |   y = softmax(x, 7)\n"
         "      |       ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = w.x + 1\n"
         "  w = 3\n",
         "my.rv:3:7: error: \"w\" is not defined above\n"
         "    3 |   y = w.x + 1\n"
         "      |       ^ a parameter has a shape: w[3,4]\n"},
    });
}

TEST(Messages, Series)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[ = x\n",
         "my.rv:3:6: error: \"=\", expected a value\n"
         "    3 |   h[ = x\n"
         "      |      ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[t] = x\n",
         "my.rv:3:5: error: \"t\" is not defined above\n"
         "    3 |   h[t] = x\n"
         "      |     ^ a parameter has a shape: t[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[0] = x\n"
         "  y = h\n",
         "my.rv:4:7: error: \"h\" has a value for each time step\n"
         "    4 |   y = h\n"
         "      |       ^ say which: h[1]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[0] = x\n"
         "  y = h[2]\n",
         "my.rv:4:7: error: h[2] has no value here\n"
         "    4 |   y = h[2]\n"
         "      |       ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[0] = x\n"
         "  h[0] = x\n",
         "my.rv:4:3: error: h[0] has a value already\n"
         "    4 |   h[0] = x\n"
         "      |   ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[0, 1] = x\n",
         "my.rv:3:3: error: expected one time step, as in h[2]\n"
         "    3 |   h[0, 1] = x\n"
         "      |   ^~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[-1] = x\n",
         "my.rv:3:5: error: -1, expected a whole number from 0 to 100000\n"
         "    3 |   h[-1] = x\n"
         "      |     ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[0] = x @ x\n"
         "  y = h[0]\n",
         "my.rv:3:10: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    3 |   h[0] = x @ x\n"
         "      |          ^~~~~\n"},
        {"function f(x)\n"
         "  g[0] = x\n"
         "  return x\n",
         "my.rv:2:3: error: \"g\" with a time step is only allowed in a cell, a model or a "
         "derivation\n"
         "    2 |   g[0] = x\n"
         "      |   ^~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h[0] = h\n"
         "  h' = h[0]\n",
         "my.rv:3:3: error: \"h\" is already defined\n"
         "    3 |   h[0] = h\n"
         "      |   ^ see line 2\n"},
        {"cell c\n"
         "  state h\n"
         "  y[0] = h\n"
         "  h' = y\n",
         "my.rv:4:8: error: \"y\" has a value for each time step\n"
         "    4 |   h' = y\n"
         "      |        ^ say which: y[1]\n"},
        {"cell c\n"
         "  state h\n"
         "  y[0] = h\n"
         "  h' = y[1]\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 1 step\n",
         "my.rv:4:8: error: y[1] has no value here\n"
         "    4 |   h' = y[1]\n"
         "      |        ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = mean(t from 1 to 3: x)\n",
         "my.rv:3:7: error: mean does not go over a loop\n"
         "    3 |   y = mean(t from 1 to 3: x)\n"
         "      |       ^~~~ sum(t from 1 to 3: ..), stack and concat do\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = sum(t from 1 to 3: x, axes=[0])\n",
         "my.rv:3:29: error: expected nothing after the value of each step\n"
         "    3 |   y = sum(t from 1 to 3: x, axes=[0])\n"
         "      |                             ^~~~~~~~ sums over a loop and over axes are two: "
         "sum(sum(t from ..), ..)\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = stack(t from 1 to 3: x, x)\n",
         "my.rv:3:31: error: expected only options after the value of each step\n"
         "    3 |   y = stack(t from 1 to 3: x, x)\n"
         "      |                               ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = stack(t from 3 to 1: x)\n",
         "my.rv:3:7: error: the stack from 3 to 1 is empty\n"
         "    3 |   y = stack(t from 3 to 1: x)\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Let)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  loss = sum(x)\n"
         "derive loss\n"
         "  let = 2\n",
         "my.rv:5:3: error: \"let\" is not the cotangent of anything\n"
         "    5 |   let = 2\n"
         "      |   ^~~ write dg for g, or name it: let of g = .., or: let let = ..\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  loss = sum(x)\n"
         "derive loss\n"
         "  let s = q\n",
         "my.rv:5:11: error: \"q\" is not defined above\n"
         "    5 |   let s = q\n"
         "      |           ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  let y 2\n",
         "my.rv:3:9: error: \"2\", expected \"=\" and a value; declarations start with state, map, "
         "bias, parameter, input, ..\n"
         "    3 |   let y 2\n"
         "      |         ^\n"},
    });
}

TEST(Messages, For)
{
    expect_messages({
        {"model m\n"
         "  input x[2, 4]\n"
         "  for t to 3\n"
         "    h[t] = x\n",
         "my.rv:3:9: error: \"to\", expected \"from\", as in: for t from 1 to 3\n"
         "    3 |   for t to 3\n"
         "      |         ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for t from 1 3\n"
         "    h[t] = x\n",
         "my.rv:3:16: error: \"3\", expected \"to\" or \"down to\"\n"
         "    3 |   for t from 1 3\n"
         "      |                ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for t from 1 to n\n"
         "    h[t] = x\n",
         "my.rv:3:19: error: \"n\" is not defined above\n"
         "    3 |   for t from 1 to n\n"
         "      |                   ^ a parameter has a shape: n[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for t from 1 to 3\n"
         "  y = x\n",
         "my.rv:3:20: error: expected a body below: lines that are indented more\n"
         "    3 |   for t from 1 to 3\n"
         "      |                    ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for x from 1 to 3\n"
         "    h[x] = 1\n",
         "my.rv:3:7: error: \"x\" is already defined\n"
         "    3 |   for x from 1 to 3\n"
         "      |       ^ see line 2\n"},
        {"cell c\n"
         "  state h\n"
         "  for t from 1 to 2\n"
         "    h' = h\n",
         "my.rv:4:5: error: h' has one value in each step, and no loop\n"
         "    4 |     h' = h\n"
         "      |     ^~ write y[k] = .. in the loop, and h' = y[3] below it\n"},
        {"function f(x)\n"
         "  for t from 1 to 2\n"
         "    y = x\n"
         "  return x\n",
         "my.rv:2:7: error: a loop over \"t\" is only allowed in a cell, a model or a derivation\n"
         "    2 |   for t from 1 to 2\n"
         "      |       ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for t from 1 to 2.5\n"
         "    h[t] = x\n",
         "my.rv:3:19: error: 2.5, expected a whole number from -1000000 to 1000000\n"
         "    3 |   for t from 1 to 2.5\n"
         "      |                   ^~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[0] = x\n"
         "  for t from 1 to 3\n"
         "    h[t] = h[t] @ x\n",
         "my.rv:5:12: error: h[1] has no value here\n"
         "    5 |     h[t] = h[t] @ x\n"
         "      |            ^~~~\n"},
    });
}

TEST(Messages, Values)
{
    expect_messages({
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(reshape(x, shape=[1,1,1,1,1,1,6]))\n",
         "my.rv:3:31: error: shape takes at most 6 whole numbers\n"
         "    3 |   loss = sum(reshape(x, shape=[1,1,1,1,1,1,6]))\n"
         "      |                               ^~~~~~~~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(x, keep=x)\n",
         "my.rv:3:22: error: keep=a tensor, expected true or false\n"
         "    3 |   loss = sum(x, keep=x)\n"
         "      |                      ^\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(x, axes=1.5)\n",
         "my.rv:3:22: error: axes=a number, expected a list of whole numbers, as in [2,3]\n"
         "    3 |   loss = sum(x, axes=1.5)\n"
         "      |                      ^~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(softmax(x, 1, axis=1))\n",
         "my.rv:3:28: error: axis is given twice\n"
         "    3 |   loss = sum(softmax(x, 1, axis=1))\n"
         "      |                            ^~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(x[:, 2:1])\n",
         "my.rv:3:19: error: 2:1 is empty\n"
         "    3 |   loss = sum(x[:, 2:1])\n"
         "      |                   ^~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(t from 3 to 1: t.x)\n",
         "my.rv:3:10: error: the sum from 3 to 1 is empty\n"
         "    3 |   loss = sum(t from 3 to 1: t.x)\n"
         "      |          ^~~~~~~~~~~~~~~~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3, 1, 1, 1, 1, 1]\n"
         "  loss = sum(x)\n",
         "my.rv:2:29: error: more than 6 sizes\n"
         "    2 |   input x[n, 3, 1, 1, 1, 1, 1]\n"
         "      |                             ^\n"},
        {"model m(n=2)\n"
         "  input x[n, 1:2]\n"
         "  loss = sum(x)\n",
         "my.rv:2:14: error: expected a size, a whole number\n"
         "    2 |   input x[n, 1:2]\n"
         "      |              ^~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  y = reshape(x, shape=[6, x])\n"
         "  loss = sum(y)\n",
         "my.rv:3:28: error: a tensor in a list of numbers; stack(a, b) joins tensors\n"
         "    3 |   y = reshape(x, shape=[6, x])\n"
         "      |                            ^\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  input y[n] ~ integer(3, 1)\n"
         "  loss = sum(x)\n",
         "my.rv:3:16: error: integer(3, 1), expected a lowest and a highest number of 32 bits\n"
         "    3 |   input y[n] ~ integer(3, 1)\n"
         "      |                ^~~~~~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  h = unroll gru(x, dropout=1) for 2 steps\n"
         "  loss = sum(h)\n",
         "my.rv:3:21: error: dropout takes a probability from 0 to below 1\n"
         "    3 |   h = unroll gru(x, dropout=1) for 2 steps\n"
         "      |                     ^~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  parameter W[3] ~ uniform(0, x)\n"
         "  loss = sum(x . W)\n",
         "my.rv:3:31: error: a tensor, expected a number\n"
         "    3 |   parameter W[3] ~ uniform(0, x)\n"
         "      |                               ^\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  for t from 1 to 2\n"
         "    e[t] = t.x\n"
         "  loss = sum(t.x)\n",
         "my.rv:5:14: error: \"t\" has a value only inside its loop\n"
         "    5 |   loss = sum(t.x)\n"
         "      |              ^\n"},
        {"function size(x) = x\n", "my.rv:1:1: error: \"size\" is built in; use another name\n"
                                   "    1 | function size(x) = x\n"
                                   "      | ^~~~~~~~~~~~~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  h = unroll gru(x) for 2 steps\n"
         "  loss = sum(h)\n"
         "\n"
         "derive loss\n"
         "  dh3 = 1\n",
         "my.rv:7:3: error: h[3] has no value to be a cotangent of\n"
         "    7 |   dh3 = 1\n"
         "      |   ^~~\n"},
    });
}

} // namespace
