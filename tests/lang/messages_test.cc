// What is told of mistakes, word by word: for each kind of statement mistakes of syntax, of names and of shapes.
#include <gtest/gtest.h>

#include <string>

#include "lang/lang.h"
#include "tensor/memory.h"

namespace {

struct Case {
    std::string text, told;
};

void expect_told(const std::vector<Case> &cases)
{
    for (const Case &c : cases) {
        rv_error error = {};
        rv_lang *lang = rv_lang_read(c.text.data(), c.text.size(), "my.rv", &error);
        ASSERT_NE(lang, nullptr) << error.text;
        EXPECT_FALSE(rv_lang_check(lang));
        char *told = rv_lang_problem_text(lang);
        EXPECT_EQ(told, c.told) << c.text;
        rv_free(told);
        rv_lang_free(lang);
    }
}

TEST(Messages, Include)
{
    expect_told({
        {"include gru.rv\n",
         "my.rv:1:9: error: \"gru\", expected a file in quotes, as in: include \"gru.rv\"\n"
         "    1 | include gru.rv\n"
         "      |         ^~~\n"},
        {"include \"gru.rv\" again\n",
         "my.rv:1:18: error: \"again\", expected the end of the line or an operator\n"
         "    1 | include \"gru.rv\" again\n"
         "      |                  ^~~~~\n"},
        {"include \"none.rv\"\n",
         "my.rv:1:1: error: cannot read \"none.rv\": No such file or directory\n"
         "    1 | include \"none.rv\"\n"
         "      | ^~~~~~~~~~~~~~~~~\n"},
        {"incldue \"gru.rv\"\n",
         "my.rv:1:1: error: \"incldue\", expected cell, model, function, derive or include\n"
         "    1 | incldue \"gru.rv\"\n"
         "      | ^~~~~~~ did you mean \"include\"?\n"},
    });
}

/* A model that is wrong keeps nothing back of those after it. */
TEST(Messages, OfEveryModel)
{
    expect_told({
        {"model a\n"
         "  input x[2]\n"
         "  y = z\n"
         "\n"
         "model b\n"
         "  input x[2], w[3]\n"
         "  y = x + w\n",
         "my.rv:3:7: error: nothing above is called \"z\"\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"
         "my.rv:7:7: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal "
         "or 1 (x \"x\" [2], \"w\" [3]); reshape one of them\n"
         "    7 |   y = x + w\n"
         "      |       ^~~~~\n"},
    });
}

TEST(Messages, Function)
{
    expect_told({
        {"function f(x = 2.x\n", "my.rv:1:14: error: \"=\", expected \",\" or \")\"\n"
                                 "    1 | function f(x = 2.x\n"
                                 "      |              ^\n"},
        {"function (x) = x\n", "my.rv:1:10: error: \"(\", expected the function's name\n"
                               "    1 | function (x) = x\n"
                               "      |          ^\n"},
        {"function f(x) = 2.y\n", "my.rv:1:19: error: nothing above is called \"y\"\n"
                                  "    1 | function f(x) = 2.y\n"
                                  "      |                   ^\n"},
        {"function f(x, x) = x\n", "my.rv:1:15: error: \"x\" is there already\n"
                                   "    1 | function f(x, x) = x\n"
                                   "      |               ^ see line 1\n"},
        {"function f(x) =\n", "my.rv:1:16: error: the end of the line, expected a value\n"
                              "    1 | function f(x) =\n"
                              "      |                ^\n"},
        {"function f(x)\n"
         "  y = 2.x\n",
         "my.rv:1:1: error: the function \"f\" returns nothing; end it with return ..\n"
         "    1 | function f(x)\n"
         "      | ^~~~~~~~~~~~~\n"},
        {"function f(x)\n"
         "  y = 2 x\n"
         "  return y\n",
         "my.rv:2:9: error: \"x\", expected an operator: a product is written 2.x\n"
         "    2 |   y = 2 x\n"
         "      |         ^\n"},
        {"function f(x)\n"
         "  return\n",
         "my.rv:2:9: error: the end of the line, expected a value\n"
         "    2 |   return\n"
         "      |         ^\n"},
        {"function f(x)\n"
         "  return y\n",
         "my.rv:2:10: error: nothing above is called \"y\"\n"
         "    2 |   return y\n"
         "      |          ^\n"},
        {"function f(x) = f(x)\n",
         "my.rv:1:17: error: \"f\" calls itself; loops are written for t from 1 to 3\n"
         "    1 | function f(x) = f(x)\n"
         "      |                 ^\n"},
        {"function f(x)\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = x\n",
         "my.rv:1:1: error: the function \"f\" returns nothing; end it with return ..\n"
         "    1 | function f(x)\n"
         "      | ^~~~~~~~~~~~~\n"
         "my.rv:1:14: error: nothing follows; expected a body: lines that are indented more\n"
         "    1 | function f(x)\n"
         "      |              ^\n"},
        {"function f(x) = x @ x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n",
         "my.rv:1:17: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    1 | function f(x) = x @ x\n"
         "      |                 ^~~~~\n"},
        {"function f(a, b) = a + b\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n"
         "  z = f(x, b=x)\n",
         "my.rv:4:7: error: f takes 2 values\n"
         "    4 |   y = f(x)\n"
         "      |       ^~~~\n"
         "my.rv:5:12: error: f has no option \"b\"\n"
         "    5 |   z = f(x, b=x)\n"
         "      |            ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = sigmod(x)\n"
         "  z = sigmod(y)\n",
         "my.rv:3:7: error: there is no op and no function \"sigmod\"\n"
         "    3 |   y = sigmod(x)\n"
         "      |       ^~~~~~ did you mean \"sigmoid\"?\n"},
    });
}

TEST(Messages, Cell)
{
    expect_told({
        {"cell\n"
         "  state h\n",
         "my.rv:1:5: error: the end of the line, expected the cell's name\n"
         "    1 | cell\n"
         "      |     ^\n"},
        {"cell 2c\n"
         "  state h\n"
         "  h' = h\n",
         "my.rv:1:6: error: \"2\", expected the cell's name\n"
         "    1 | cell 2c\n"
         "      |      ^\n"},
        {"cell c(x\n"
         "  state h\n",
         "my.rv:2:3: error: \"state\", expected \")\"\n"
         "    2 |   state h\n"
         "      |   ^~~~~\n"},
        {"cell c\n"
         "  y = x\n",
         "my.rv:1:1: error: the cell \"c\" has no state; declare one: state h\n"
         "    1 | cell c\n"
         "      | ^~~~~~\n"},
        {"cell c\n"
         "  state h\n",
         "my.rv:2:9: error: the state \"h\" never gets its next value\n"
         "    2 |   state h\n"
         "      |         ^ write h' = ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = tanh(V h)\n",
         "my.rv:4:13: error: nothing above is called \"V\"\n"
         "    4 |   h' = tanh(V h)\n"
         "      |             ^ a weight is declared: map V, bias V, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = tanh(W h + hh)\n",
         "my.rv:4:19: error: nothing above is called \"hh\"\n"
         "    4 |   h' = tanh(W h + hh)\n"
         "      |                   ^~ did you mean \"h\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = x @ h\n",
         "my.rv:4:8: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"h0\" [2,3]); "
         "transpose or reshape one of them\n"
         "    4 |   h' = x @ h\n"
         "      |        ^~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = h\n"
         "cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = h\n",
         "my.rv:1:1: error: unroll: the shape of the state could not be worked out, the step "
         "changes none; mend the cell\n"
         "    1 | cell c\n"
         "      | ^~~~~~\n"
         "my.rv:5:6: error: a second \"c\"; the first is on line 1\n"
         "    5 | cell c\n"
         "      |      ^\n"},
    });
}

TEST(Messages, CellAlias)
{
    expect_told({
        {"cell c =\n", "my.rv:1:9: error: the end of the line, expected a value\n"
                       "    1 | cell c =\n"
                       "      |         ^\n"},
        {"cell c = gru\n", "my.rv:1:10: error: expected a cell with options, as in: gru(kernel=3)\n"
                           "    1 | cell c = gru\n"
                           "      |          ^~~\n"},
        {"cell c = gru(kernel=3\n",
         "my.rv:1:22: error: the end of the line, expected \",\" or \")\"\n"
         "    1 | cell c = gru(kernel=3\n"
         "      |                      ^\n"},
        {"cell c = grv(kernel=3)\n", "my.rv:1:10: error: there is no cell \"grv\"\n"
                                     "    1 | cell c = grv(kernel=3)\n"
                                     "      |          ^~~ did you mean \"gru\"?\n"},
        {"cell c = gru(kernal=3)\n", "my.rv:1:14: error: gru has no option \"kernal\"\n"
                                     "    1 | cell c = gru(kernal=3)\n"
                                     "      |              ^~~~~~ did you mean \"kernel\"?\n"},
        {"cell c = gru(bias=2)\n", "my.rv:1:14: error: bias takes true or false\n"
                                   "    1 | cell c = gru(bias=2)\n"
                                   "      |              ^~~~~~\n"},
        {"cell c = gru(units=1.5, layers=-1)\n", "my.rv:1:14: error: units takes a whole number\n"
                                                 "    1 | cell c = gru(units=1.5, layers=-1)\n"
                                                 "      |              ^~~~~~~~~\n"},
    });
}

TEST(Messages, State)
{
    expect_told({
        {"cell c\n"
         "  state\n",
         "my.rv:2:8: error: the end of the line, expected a name\n"
         "    2 |   state\n"
         "      |        ^\n"},
        {"cell c\n"
         "  state h,\n",
         "my.rv:2:11: error: the end of the line, expected a name\n"
         "    2 |   state h,\n"
         "      |           ^\n"},
        {"cell c\n"
         "  state h h\n",
         "my.rv:2:11: error: \"h\", expected the end of the line or an operator\n"
         "    2 |   state h h\n"
         "      |           ^\n"},
        {"cell c\n"
         "  state h, h\n"
         "  h' = h\n",
         "my.rv:2:12: error: \"h\" is there already\n"
         "    2 |   state h, h\n"
         "      |            ^ see line 2\n"},
        {"cell c\n"
         "  state h[3\n"
         "  h' = h\n",
         "my.rv:2:12: error: the end of the line, expected \",\" or \"]\"\n"
         "    2 |   state h[3\n"
         "      |            ^\n"},
        {"cell c\n"
         "  state h[k]\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:2:11: error: nothing above is called \"k\"\n"
         "    2 |   state h[k]\n"
         "      |           ^ a size is a number, or units\n"},
        {"cell c\n"
         "  state h[7]\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:2:9: error: the state \"h\" becomes [2,3], expected [7] of each sample\n"
         "    2 |   state h[7]\n"
         "      |         ^~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  state h\n",
         "my.rv:3:3: error: \"state\" does not belong here\n"
         "    3 |   state h\n"
         "      |   ^~~~~ it belongs into a cell\n"},
        {"cell c\n"
         "  state a, b, c, d, e\n",
         "my.rv:2:9: error: the state \"a\" never gets its next value\n"
         "    2 |   state a, b, c, d, e\n"
         "      |         ^ write a' = ..\n"
         "my.rv:2:12: error: the state \"b\" never gets its next value\n"
         "    2 |   state a, b, c, d, e\n"
         "      |            ^ write b' = ..\n"
         "my.rv:2:15: error: the state \"c\" never gets its next value\n"
         "    2 |   state a, b, c, d, e\n"
         "      |               ^ write c' = ..\n"
         "my.rv:2:18: error: the state \"d\" never gets its next value\n"
         "    2 |   state a, b, c, d, e\n"
         "      |                  ^ write d' = ..\n"
         "my.rv:2:21: error: \"e\" is one state too many; a cell has at most 4\n"
         "    2 |   state a, b, c, d, e\n"
         "      |                     ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h = W h\n",
         "my.rv:4:3: error: \"h\" is a state, and is read only\n"
         "    4 |   h = W h\n"
         "      |   ^ its next value is h' = ..\n"},
    });
}

TEST(Messages, Map)
{
    expect_told({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map U =\n"
         "  h' = W h\n",
         "my.rv:4:10: error: the end of the line, expected a value\n"
         "    4 |   map U =\n"
         "      |          ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:4:7: error: \"W\" is there already\n"
         "    4 |   map W\n"
         "      |       ^ see line 3\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map U ~ gauss(0, 1)\n"
         "  h' = W h\n",
         "my.rv:4:11: error: expected uniform(low, high), normal(mean, deviation) or integer(low, "
         "high) behind ~\n"
         "    4 |   map U ~ gauss(0, 1)\n"
         "      |           ^~~~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W\n",
         "my.rv:4:8: error: the map \"W\" has no argument; as in: W h\n"
         "    4 |   h' = W\n"
         "      |        ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = h W\n",
         "my.rv:4:8: error: \"h\" is no map\n"
         "    4 |   h' = h W\n"
         "      |        ^ the map comes first: W h\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  map U ~ normal(0)\n"
         "  h' = U h\n",
         "my.rv:4:11: error: normal takes two numbers, as in: normal(0, 1)\n"
         "    4 |   map U ~ normal(0)\n"
         "      |           ^~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  map W\n"
         "  y = x\n",
         "my.rv:3:3: error: \"map\" does not belong here\n"
         "    3 |   map W\n"
         "      |   ^~~ it belongs into a cell\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W(h, x)\n",
         "my.rv:4:8: error: W takes one value\n"
         "    4 |   h' = W(h, x)\n"
         "      |        ^~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W conv(x, K[3, 3])\n",
         "my.rv:4:8: error: cell: \"W\" maps rows [n,inputs], but its argument is [2,3,6,6]; "
         "reshape it\n"
         "    4 |   h' = W conv(x, K[3, 3])\n"
         "      |        ^~~~~~~~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Fit)
{
    expect_told({
        {"cell c\n"
         "  state h\n"
         "  fit 3\n"
         "  h' = h\n",
         "my.rv:3:7: error: \"3\", expected a name\n"
         "    3 |   fit 3\n"
         "      |       ^\n"},
        {"cell c\n"
         "  state h\n"
         "  fit F\n"
         "  h' = G x\n",
         "my.rv:4:8: error: nothing above is called \"G\"\n"
         "    4 |   h' = G x\n"
         "      |        ^ a weight is declared: map G, bias G, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  fit F\n"
         "  h' = F\n",
         "my.rv:4:8: error: the map \"F\" has no argument; as in: W h\n"
         "    4 |   h' = F\n"
         "      |        ^\n"},
    });
}

TEST(Messages, Bias)
{
    expect_told({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b 1\n"
         "  h' = W h + b\n",
         "my.rv:4:10: error: \"1\", expected the end of the line or an operator\n"
         "    4 |   bias b 1\n"
         "      |          ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b = frget\n"
         "  h' = W h + b\n",
         "my.rv:4:12: error: nothing above is called \"frget\"\n"
         "    4 |   bias b = frget\n"
         "      |            ^~~~~ did you mean \"forget\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b\n"
         "  h' = b.(W h)\n",
         "my.rv:5:8: error: the bias \"b\" is added to a tensor: x + b\n"
         "    5 |   h' = b.(W h)\n"
         "      |        ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  bias b ~ normal(0, 1)\n"
         "  h' = W h + b\n",
         "my.rv:4:12: error: a bias or a gain starts from a number, as in: bias b = 1\n"
         "    4 |   bias b ~ normal(0, 1)\n"
         "      |            ^~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Gain)
{
    expect_told({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  gain g = 1 2\n"
         "  h' = g.(W h)\n",
         "my.rv:4:14: error: \"2\", expected the end of the line or an operator\n"
         "    4 |   gain g = 1 2\n"
         "      |              ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  gain gg\n"
         "  h' = g.(W h)\n",
         "my.rv:5:8: error: nothing above is called \"g\"\n"
         "    5 |   h' = g.(W h)\n"
         "      |        ^ a weight is declared: map g, bias g, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  gain g\n"
         "  h' = W h + g\n",
         "my.rv:5:14: error: the gain \"g\" multiplies a tensor: g.x\n"
         "    5 |   h' = W h + g\n"
         "      |              ^\n"},
    });
}

TEST(Messages, Activation)
{
    expect_told({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s =\n"
         "  h' = s(W h)\n",
         "my.rv:4:17: error: the end of the line, expected a value\n"
         "    4 |   activation s =\n"
         "      |                 ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s = tnah\n"
         "  h' = s(W h)\n",
         "my.rv:4:14: error: the activation \"s\" needs an op, as in: activation s = tanh\n"
         "    4 |   activation s = tnah\n"
         "      |              ^~~~~~~~ did you mean \"tanh\"?\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s = add\n"
         "  h' = s(W h)\n",
         "my.rv:5:8: error: add is no function of one value\n"
         "    5 |   h' = s(W h)\n"
         "      |        ^~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s\n"
         "  h' = s(W h)\n",
         "my.rv:4:14: error: the activation \"s\" needs an op, as in: activation s = tanh\n"
         "    4 |   activation s\n"
         "      |              ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  activation s = tanh\n"
         "  h' = W h + s\n",
         "my.rv:5:14: error: the activation \"s\" has no argument; as in: s(x)\n"
         "    5 |   h' = W h + s\n"
         "      |              ^\n"},
    });
}

TEST(Messages, Parameter)
{
    expect_told({
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
         "my.rv:3:18: error: nothing above is called \"k\"\n"
         "    3 |   parameter W[4, k]\n"
         "      |                  ^ a size is declared: model m(k=2)\n"},
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
         "  parameter W[4, 3] = identity(3)\n"
         "  y = x @ W\n",
         "my.rv:3:23: error: there is no op and no function \"identity\"\n"
         "    3 |   parameter W[4, 3] = identity(3)\n"
         "      |                       ^~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = conv(x, W[1, _, 3, 3])\n",
         "my.rv:3:7: error: \"W\" maps images [n,channels,height,width], but is given [2,4]\n"
         "    3 |   y = conv(x, W[1, _, 3, 3])\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~\n"},
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
         "my.rv:3:7: error: \"x\" is no map\n"
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
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  constant c\n",
         "my.rv:3:12: error: \"c\" needs a shape, as in: x[2,8]\n"
         "    3 |   constant c\n"
         "      |            ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  constant c[2] = z\n",
         "my.rv:3:19: error: nothing above is called \"z\"\n"
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
    expect_told({
        {"model m\n"
         "  input x\n",
         "my.rv:2:9: error: \"x\" needs a shape, as in: x[2,8]\n"
         "    2 |   input x\n"
         "      |         ^\n"},
        {"model m\n"
         "  input x[n]\n",
         "my.rv:2:11: error: nothing above is called \"n\"\n"
         "    2 |   input x[n]\n"
         "      |           ^ a size is declared: model m(n=2)\n"},
        {"model m(n)\n"
         "  input x[n]\n",
         "my.rv:1:9: error: \"n\", expected a size and its usual value, as in: model digits(n=2)\n"
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
         "my.rv:2:18: error: \"x\" is there already\n"
         "    2 |   input x[2, 4], x[3]\n"
         "      |                  ^ see line 2\n"},
        {"model m\n"
         "  input x[2, 4] ~ unifrom(0, 1)\n",
         "my.rv:2:19: error: expected uniform(low, high), normal(mean, deviation) or integer(low, "
         "high) behind ~\n"
         "    2 |   input x[2, 4] ~ unifrom(0, 1)\n"
         "      |                   ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[1000000, 1000000]\n",
         "my.rv:2:9: error: this input is too large; make it smaller\n"
         "    2 |   input x[1000000, 1000000]\n"
         "      |         ^~~~~~~~~~~~~~~~~~~\n"},
        {"cell c\n"
         "  input x[2]\n",
         "my.rv:1:1: error: the cell \"c\" has no state; declare one: state h\n"
         "    1 | cell c\n"
         "      | ^~~~~~\n"
         "my.rv:2:3: error: \"input\" does not belong here\n"
         "    2 |   input x[2]\n"
         "      |   ^~~~~ it belongs into a model\n"},
        {"model m\n"
         "  input x[2][3]\n",
         "my.rv:2:13: error: \"[\", expected the end of the line or an operator\n"
         "    2 |   input x[2][3]\n"
         "      |             ^\n"},
    });
}

TEST(Messages, Definition)
{
    expect_told({
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
         "      |      ^\n"},
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
         "my.rv:3:3: error: this cannot be given a value; write a name, as in: g = sigmoid(x)\n"
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
         "my.rv:3:7: error: nothing above is called \"z\"\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  x = 2\n",
         "my.rv:3:3: error: \"x\" is there already\n"
         "    3 |   x = 2\n"
         "      |   ^ see line 2\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + [1, 2]\n",
         "my.rv:3:11: error: a list, expected a tensor or a number\n"
         "    3 |   y = x + [1, 2]\n"
         "      |           ^~~~~~\n"},
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
         "my.rv:3:11: error: nothing above is called \"ones\"\n"
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
         "my.rv:3:9: error: this character means nothing here; leave it out\n"
         "    3 |   y = x $ 2\n"
         "      |         ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = \"x\n",
         "my.rv:3:7: error: this text has no end; put \" behind it\n"
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
         "my.rv:3:7: error: nothing above is called \"w\"\n"
         "    3 |   y = w.x + 1\n"
         "      |       ^ a parameter has a shape: w[3,4]\n"},
    });
}

TEST(Messages, NextState)
{
    expect_told({
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' W h\n",
         "my.rv:4:6: error: \"W\", expected \"=\" and a value; declarations start with state, map, "
         "bias, parameter, input, ..\n"
         "    4 |   h' W h\n"
         "      |      ^\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  g' = W h\n",
         "my.rv:4:3: error: \"g\" is no state\n"
         "    4 |   g' = W h\n"
         "      |   ^~ declare it: state g\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W h\n"
         "  h' = W h\n",
         "my.rv:5:3: error: \"h\" is there already\n"
         "    5 |   h' = W h\n"
         "      |   ^ see line 4\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  y = h'\n"
         "  h' = W h\n",
         "my.rv:4:7: error: the next value of \"h\" is not known yet; it is what a line above must "
         "define\n"
         "    4 |   y = h'\n"
         "      |       ^~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = sum(W h)\n",
         "my.rv:4:12: error: cell: \"W\" maps rows [n,inputs], but its argument is []; reshape it\n"
         "    4 |   h' = sum(W h)\n"
         "      |            ^~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  x' = x\n",
         "my.rv:3:3: error: \"x\" is no state\n"
         "    3 |   x' = x\n"
         "      |   ^~\n"},
    });
}

TEST(Messages, Series)
{
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[ = x\n",
         "my.rv:3:6: error: \"=\", expected a value\n"
         "    3 |   h[ = x\n"
         "      |      ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h[t] = x\n",
         "my.rv:3:5: error: nothing above is called \"t\"\n"
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
        {"cell c\n"
         "  state h\n"
         "  g[0] = h\n"
         "  h' = h\n",
         "my.rv:3:3: error: \"g\" with a time step belongs into a model\n"
         "    3 |   g[0] = h\n"
         "      |   ^~~~\n"},
    });
}

TEST(Messages, Let)
{
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  loss = sum(x)\n"
         "derive loss\n"
         "  let = 2\n",
         "my.rv:5:3: error: \"let\" is not the cotangent of anything\n"
         "    5 |   let = 2\n"
         "      |   ^~~ write dg for g, or say it: let of g = .., or: let let = ..\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  loss = sum(x)\n"
         "derive loss\n"
         "  let s = q\n",
         "my.rv:5:11: error: nothing above is called \"q\"\n"
         "    5 |   let s = q\n"
         "      |           ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  loss = sum(x)\n"
         "derive loss\n"
         "  let s = x @ x\n"
         "  dx = s\n",
         "my.rv:5:11: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    5 |   let s = x @ x\n"
         "      |           ^~~~~\n"},
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
    expect_told({
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
         "my.rv:3:19: error: nothing above is called \"n\"\n"
         "    3 |   for t from 1 to n\n"
         "      |                   ^ a parameter has a shape: n[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for t from 1 to 3\n"
         "  y = x\n",
         "my.rv:3:20: error: nothing follows; expected a body: lines that are indented more\n"
         "    3 |   for t from 1 to 3\n"
         "      |                    ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  for x from 1 to 3\n"
         "    h[x] = 1\n",
         "my.rv:3:7: error: \"x\" is there already\n"
         "    3 |   for x from 1 to 3\n"
         "      |       ^ see line 2\n"},
        {"cell c\n"
         "  state h\n"
         "  for t from 1 to 2\n"
         "    h' = h\n",
         "my.rv:3:7: error: a loop over \"t\" belongs into a model or a derivation\n"
         "    3 |   for t from 1 to 2\n"
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

TEST(Messages, Return)
{
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  return x\n",
         "my.rv:3:3: error: return belongs into a function\n"
         "    3 |   return x\n"
         "      |   ^~~~~~~~\n"},
        {"function f(x)\n"
         "  return x +\n",
         "my.rv:2:13: error: the end of the line, expected a value\n"
         "    2 |   return x +\n"
         "      |             ^\n"},
        {"function f(x)\n"
         "  return reshape(x, shape=[3])\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n",
         "my.rv:2:10: error: reshape: 8 elements do not fill [3] (x \"x\" [2,4]); keep their "
         "number\n"
         "    2 |   return reshape(x, shape=[3])\n"
         "      |          ^~~~~~~~~~~~~~~~~~~~~\n"},
    });
}

TEST(Messages, Unroll)
{
    expect_told({
        {"cell damped\n"
         "  state h\n"
         "  h' = tanh(h + x)\n"
         "\n"
         "model m(n=2)\n"
         "  input x[n, 3]\n"
         "  h = unroll dampde(x) for 2 steps\n"
         "  loss = sum(h)\n",
         "my.rv:3:13: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal or 1 (x \"h0\" [2,3], \"x\" [2,4]); reshape one of them\n"
         "    3 |   h' = tanh(h + x)\n"
         "      |             ^~~~~\n"
         "my.rv:7:14: error: there is no cell \"dampde\"\n"
         "    7 |   h = unroll dampde(x) for 2 steps\n"
         "      |              ^~~~~~ did you mean \"damped\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru\n",
         "my.rv:3:14: error: expected the cell and its input, as in: unroll curnn(x) for 2 steps\n"
         "    3 |   h = unroll gru\n"
         "      |              ^~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x) for 3\n",
         "my.rv:3:26: error: the end of the line, expected \"steps\"\n"
         "    3 |   h = unroll gru(x) for 3\n"
         "      |                          ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x) 3 steps\n",
         "my.rv:3:21: error: \"3\", expected the end of the line or an operator\n"
         "    3 |   h = unroll gru(x) 3 steps\n"
         "      |                     ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll grue(x)\n",
         "my.rv:3:14: error: there is no cell \"grue\"\n"
         "    3 |   h = unroll grue(x)\n"
         "      |              ^~~~ did you mean \"gru\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x, unit=3)\n",
         "my.rv:3:21: error: gru has no option \"unit\"\n"
         "    3 |   h = unroll gru(x, unit=3)\n"
         "      |                     ^~~~ did you mean \"units\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(y)\n",
         "my.rv:3:18: error: nothing above is called \"y\"\n"
         "    3 |   h = unroll gru(y)\n"
         "      |                  ^ a parameter has a shape: y[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x)\n",
         "my.rv:3:7: error: a sequence is [n,steps,..], but this is [2,4]; else say how often: "
         "unroll gru(..) for 2 steps\n"
         "    3 |   h = unroll gru(x)\n"
         "      |       ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x, h=x[:, 0:2], units=3) for 2 steps\n",
         "my.rv:3:7: error: gru:9:13: multiply: shapes do not broadcast: from the last axis on, "
         "sizes must be equal or 1 (x sigmoid#10 [2,3], y slice#1 [2,2], in step 1); reshape one "
         "of them\n"
         "    3 |   h = unroll gru(x, h=x[:, 0:2], units=3) for 2 steps\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll lstm(x, c=x, layers=2) for 2 steps\n",
         "my.rv:3:7: error: states are given to one layer in one direction only\n"
         "    3 |   h = unroll lstm(x, c=x, layers=2) for 2 steps\n"
         "      |       ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x) for 0 steps\n",
         "my.rv:3:25: error: 0, expected a whole number from 1 to 100000\n"
         "    3 |   h = unroll gru(x) for 0 steps\n"
         "      |                         ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru() for 2 steps\n",
         "my.rv:3:14: error: gru takes one input\n"
         "    3 |   h = unroll gru() for 2 steps\n"
         "      |              ^~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = tanh(unroll gru(x))\n",
         "my.rv:3:12: error: unroll stands alone in a line, as in: h = unroll gru(x)\n"
         "    3 |   y = tanh(unroll gru(x))\n"
         "      |            ^~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  h' = unroll gru(x)\n",
         "my.rv:3:8: error: unroll belongs into a model\n"
         "    3 |   h' = unroll gru(x)\n"
         "      |        ^~~~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  h = unroll gru(x, units=x) for 2 steps\n",
         "my.rv:3:21: error: units takes a number\n"
         "    3 |   h = unroll gru(x, units=x) for 2 steps\n"
         "      |                     ^~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = x @ h + W q\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 2 steps\n"
         "  y = h\n",
         "my.rv:4:18: error: nothing above is called \"q\"\n"
         "    4 |   h' = x @ h + W q\n"
         "      |                  ^ a weight is declared: map q, bias q, ..\n"},
        {"cell c\n"
         "  state h\n"
         "  map W\n"
         "  h' = W h @ x\n"
         "  y = x @ x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 2 steps\n"
         "  y = h + 1\n",
         "my.rv:4:8: error: matmul: inner sizes 1 and 2 differ (a matmul#6 [2,1], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    4 |   h' = W h @ x\n"
         "      |        ^~~~~~~\n"},
    });
}

TEST(Messages, Derive)
{
    expect_told({
        {"derive loss\n"
         "  dx = 1\n",
         "my.rv:1:1: error: there is no model above\n"
         "    1 | derive loss\n"
         "      | ^~~~~~~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive\n"
         "  dx = 1\n",
         "my.rv:5:7: error: the end of the line, expected the loss, as in: derive loss\n"
         "    5 | derive\n"
         "      |       ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive los\n"
         "  dg = 1\n",
         "my.rv:5:8: error: nothing above is called \"los\"\n"
         "    5 | derive los\n"
         "      |        ^~~ did you mean \"loss\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss of n\n"
         "  dg = 1\n",
         "my.rv:5:16: error: there is no model \"n\" above\n"
         "    5 | derive loss of n\n"
         "      |                ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive g\n"
         "  dx = 1\n",
         "my.rv:5:8: error: the loss is [2,4], expected a single number; take its sum or mean\n"
         "    5 | derive g\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss \"title\n"
         "  dx = 1\n",
         "my.rv:5:13: error: this text has no end; put \" behind it\n"
         "    5 | derive loss \"title\n"
         "      |             ^~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss 3\n"
         "  dx = 1\n",
         "my.rv:5:13: error: \"3\", expected the end of the line or an operator\n"
         "    5 | derive loss 3\n"
         "      |             ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n",
         "my.rv:5:12: error: nothing follows; expected a body: lines that are indented more\n"
         "    5 | derive loss\n"
         "      |            ^\n"},
    });
}

TEST(Messages, DeriveLine)
{
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dg 1\n",
         "my.rv:6:6: error: \"1\", expected \"=\" and a value; declarations start with state, map, "
         "bias, parameter, input, ..\n"
         "    6 |   dg 1\n"
         "      |      ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dgg = 1\n",
         "my.rv:6:3: error: \"dgg\" is not the cotangent of anything\n"
         "    6 |   dgg = 1\n"
         "      |   ^~~ write dg for g, or say it: dgg of g = .., or: let dgg = ..\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dg = 1\n",
         "my.rv:6:8: error: this is [], but dg is [2,4]\n"
         "    6 |   dg = 1\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dx = 2.x.dg\n",
         "my.rv:6:12: error: dg is used before a line derives it\n"
         "    6 |   dx = 2.x.dg\n"
         "      |            ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dg = x - x + 1\n"
         "  dg = x\n",
         "my.rv:7:3: error: dg is derived a second time\n"
         "    7 |   dg = x\n"
         "      |   ^~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dx = g @ x'\n",
         "my.rv:6:8: error: this is [2,2], but dx is [2,4]\n"
         "    6 |   dx = g @ x'\n"
         "      |        ^~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  w = 2\n",
         "my.rv:6:3: error: \"w\" is not the cotangent of anything\n"
         "    6 |   w = 2\n"
         "      |   ^ write dg for g, or say it: w of g = .., or: let w = ..\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  g = 2\n",
         "my.rv:6:3: error: \"g\" is there already\n"
         "    6 |   g = 2\n"
         "      |   ^ see line 3\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  dx' = x\n",
         "my.rv:6:3: error: dx' is a next state, and belongs into a cell\n"
         "    6 |   dx' = x\n"
         "      |   ^~~\n"},
    });
}

TEST(Messages, DeriveOf)
{
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of = 1\n",
         "my.rv:6:9: error: \"=\", expected a value\n"
         "    6 |   d3 of = 1\n"
         "      |         ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of gg = 1\n",
         "my.rv:6:9: error: nothing above is called \"gg\"\n"
         "    6 |   d3 of gg = 1\n"
         "      |         ^~ did you mean \"g\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of g = x @ x'\n",
         "my.rv:6:13: error: this is [2,2], but dg is [2,4]\n"
         "    6 |   d3 of g = x @ x'\n"
         "      |             ^~~~~~\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  g of x = 1\n",
         "my.rv:6:3: error: \"g\" is there already\n"
         "    6 |   g of x = 1\n"
         "      |   ^ see line 3\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  g = x^2\n"
         "  loss = sum(g)\n"
         "derive loss\n"
         "  d3 of g = x - x + 1\n"
         "  d3 of x = x\n",
         "my.rv:7:3: error: \"d3\" is there already\n"
         "    7 |   d3 of x = x\n"
         "      |   ^~ see line 6\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  d3 of x = 2\n",
         "my.rv:3:9: error: \"of\" belongs into a derivation\n"
         "    3 |   d3 of x = 2\n"
         "      |         ^\n"},
    });
}

TEST(Messages, Places)
{
    expect_told({
        {"model m\r\n"
         "  input x[2, 4]\r\n"
         "  y = z\r\n"
         "  w = (x\r\n",
         "my.rv:3:7: error: nothing above is called \"z\"\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"
         "my.rv:4:9: error: the end of the line, expected \")\" or an operator\n"
         "    4 |   w = (x\n"
         "      |         ^\n"},
        {"model m\n"
         "\tinput x[2, 4]\n"
         "\ty\t= x + z\n",
         "my.rv:3:10: error: nothing above is called \"z\"\n"
         "    3 | \ty\t= x + z\n"
         "      | \t \t      ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input größe[2, 4]\n"
         "  y = größe + grösse + größ\n",
         "my.rv:3:15: error: nothing above is called \"grösse\"\n"
         "    3 |   y = größe + grösse + größ\n"
         "      |               ^~~~~~ did you mean \"größe\"?\n"
         "my.rv:3:24: error: nothing above is called \"größ\"\n"
         "    3 |   y = größe + grösse + größ\n"
         "      |                        ^~~~ did you mean \"größe\"?\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = z",
         "my.rv:3:7: error: nothing above is called \"z\"\n"
         "    3 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x "
         "+ x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + zz + x "
         "+ x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x "
         "+ x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x\n",
         "my.rv:3:171: error: nothing above is called \"zz\"\n"
         "    3 | x + x + x + x + x + x + x + x + x + x + zz + x + x + x + x + x + x + x + x + x + "
         "x + x + x + x + x + x + x + x + x + x +\n"
         "      |                                         ^~ a parameter has a shape: zz[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x +",
         "my.rv:3:10: error: the end of the line, expected a value\n"
         "    3 |   y = x +\n"
         "      |          ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "    y = x\n",
         "my.rv:3:5: error: this line is indented by 4, the first one of its block by 2\n"
         "    3 |     y = x\n"
         "      |     ^\n"},
        {"  model m\n"
         "    y = 1\n",
         "my.rv:1:3: error: this line is indented, but belongs to nothing above\n"
         "    1 |   model m\n"
         "      |   ^~~~~\n"},
        {"x = 3\n", "my.rv:1:1: error: \"x\", expected cell, model, function, derive or include\n"
                    "    1 | x = 3\n"
                    "      | ^\n"},
        {"model m\n",
         "my.rv:1:8: error: nothing follows; expected a body: lines that are indented more\n"
         "    1 | model m\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = concat(x,\n"
         "    z,\n"
         "    x)\n",
         "my.rv:4:5: error: nothing above is called \"z\"\n"
         "    4 |     z,\n"
         "      |     ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = tanh(x\n"
         "model n\n"
         "  z = 1\n",
         "my.rv:3:13: error: the end of the line, expected \",\" or \")\"\n"
         "    3 |   y = tanh(x\n"
         "      |             ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x\033[31m\n",
         "my.rv:3:8: error: this character means nothing here; leave it out\n"
         "    3 |   y = x?[31m\n"
         "      |        ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = \302\240x\n",
         "my.rv:3:7: error: a no-break space; type a plain one\n"
         "    3 |   y = \302\240x\n"
         "      |       ^\n"},
        {"modle m\n"
         "  x = 1\n"
         "  y = x\n"
         "model n\n"
         "  y = q\n",
         "my.rv:1:1: error: \"modle\", expected cell, model, function, derive or include\n"
         "    1 | modle m\n"
         "      | ^~~~~ did you mean \"model\"?\n"
         "my.rv:5:7: error: nothing above is called \"q\"\n"
         "    5 |   y = q\n"
         "      |       ^ a parameter has a shape: q[3,4]\n"},
        {"cell c\n"
         "  stat h\n"
         "  map W\n"
         "  h' = W h\n",
         "my.rv:2:9: error: the end of the line, expected \"=\" and a value; declarations start "
         "with state, map, bias, parameter, input, ..\n"
         "    2 |   stat h\n"
         "      |         ^ did you mean \"state\"?\n"},
        {"﻿model m\n"
         "  y = z\n",
         "my.rv:2:7: error: nothing above is called \"z\"\n"
         "    2 |   y = z\n"
         "      |       ^ a parameter has a shape: z[3,4]\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  y = x\302\240+ x\n",
         "my.rv:3:8: error: a no-break space; type a plain one\n"
         "    3 |   y = x\302\240+ x\n"
         "      |        ^\n"},
        {"model m\n"
         "  y = \"a\tb\" + $\n",
         "my.rv:2:15: error: this character means nothing here; leave it out\n"
         "    2 |   y = \"a\tb\" + $\n"
         "      |         \t     ^\n"},
    });
}

TEST(Messages, Values)
{
    expect_told({
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(reshape(x, shape=[1,1,1,1,1,1,6]))\n",
         "my.rv:3:44: error: a list of more than 6 numbers\n"
         "    3 |   loss = sum(reshape(x, shape=[1,1,1,1,1,1,6]))\n"
         "      |                                            ^\n"},
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
         "my.rv:3:19: error: nothing from 2 to before 1\n"
         "    3 |   loss = sum(x[:, 2:1])\n"
         "      |                   ^~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  loss = sum(t from 3 to 1: t.x)\n",
         "my.rv:3:10: error: nothing from 3 to 1\n"
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
         "my.rv:3:28: error: a tensor, expected a whole number\n"
         "    3 |   y = reshape(x, shape=[6, x])\n"
         "      |                            ^\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  input y[n] ~ integer(3, 1)\n"
         "  loss = sum(x)\n",
         "my.rv:3:16: error: integer(3, 1), expected the lowest and the highest of 32 bits\n"
         "    3 |   input y[n] ~ integer(3, 1)\n"
         "      |                ^~~~~~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  h = unroll gru(x, dropout=1) for 2 steps\n"
         "  loss = sum(h)\n",
         "my.rv:3:21: error: dropout takes a share from 0 to below 1\n"
         "    3 |   h = unroll gru(x, dropout=1) for 2 steps\n"
         "      |                     ^~~~~~~~~\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  parameter W[3] ~ uniform(0, x)\n"
         "  loss = sum(x . W)\n",
         "my.rv:3:31: error: expected two numbers\n"
         "    3 |   parameter W[3] ~ uniform(0, x)\n"
         "      |                               ^\n"},
        {"model m(n=2)\n"
         "  input x[n, 3]\n"
         "  for t from 1 to 2\n"
         "    e[t] = t.x\n"
         "  loss = sum(t.x)\n",
         "my.rv:5:14: error: \"t\" has a value inside its loop alone\n"
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

TEST(Messages, Several)
{
    expect_told({
        {"model m\n"
         "  input x[2, 4]\n"
         "  a = x +\n"
         "  b = a + 1\n"
         "  c = zz\n"
         "  d = zz + b\n"
         "  for t 1 to 2\n"
         "    e[t] = qq\n"
         "  f = e[1] + c\n"
         "  parameter P[3 Q[2]\n"
         "  i = P + x\n"
         "model n\n"
         "  y = tann(3)\n",
         "my.rv:3:10: error: the end of the line, expected a value\n"
         "    3 |   a = x +\n"
         "      |          ^\n"
         "my.rv:5:7: error: nothing above is called \"zz\"\n"
         "    5 |   c = zz\n"
         "      |       ^~ a parameter has a shape: zz[3,4]\n"
         "my.rv:7:9: error: \"1\", expected \"from\", as in: for t from 1 to 3\n"
         "    7 |   for t 1 to 2\n"
         "      |         ^\n"
         "my.rv:8:12: error: nothing above is called \"qq\"\n"
         "    8 |     e[t] = qq\n"
         "      |            ^~ a parameter has a shape: qq[3,4]\n"
         "my.rv:10:17: error: \"Q\", expected an operator: a product is written 2.x\n"
         "   10 |   parameter P[3 Q[2]\n"
         "      |                 ^\n"
         "my.rv:13:7: error: there is no op and no function \"tann\"\n"
         "   13 |   y = tann(3)\n"
         "      |       ^~~~ did you mean \"tanh\"?\n"},
        {"function f(x = 1\n"
         "cell c)\n"
         "  state h\n"
         "  h' = x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  y = f(x)\n"
         "  h = unroll c(x) for 2 steps\n",
         "my.rv:1:14: error: \"=\", expected \",\" or \")\"\n"
         "    1 | function f(x = 1\n"
         "      |              ^\n"
         "my.rv:2:7: error: \")\", expected the end of the line or an operator\n"
         "    2 | cell c)\n"
         "      |       ^\n"},
        {"model m\n"
         "  input x[2, 4]\n"
         "  a = x @ x\n"
         "  b = x @ x[0]\n"
         "  c = a + b\n"
         "  d = x + x[:, 0:3]\n",
         "my.rv:3:7: error: matmul: inner sizes 4 and 2 differ (a \"x\" [2,4], b \"x\" [2,4]); "
         "transpose or reshape one of them\n"
         "    3 |   a = x @ x\n"
         "      |       ^~~~~\n"
         "my.rv:4:7: error: matmul: takes matrices, rank 2 or more (a \"x\" [2,4], b reshape#2 "
         "[4]); reshape a vector to [n,1] or [1,n]\n"
         "    4 |   b = x @ x[0]\n"
         "      |       ^~~~~~~~\n"
         "my.rv:6:7: error: add: shapes do not broadcast: from the last axis on, sizes must be "
         "equal or 1 (x \"x\" [2,4], slice#3 [2,3]); reshape one of them\n"
         "    6 |   d = x + x[:, 0:3]\n"
         "      |       ^~~~~~~~~~~~~\n"},
        {"cell c\n"
         "  state h\n"
         "  map W,, U\n"
         "  h' = W h + U x\n"
         "model m\n"
         "  input x[2, 4]\n"
         "  h = unroll c(x) for 2 steps\n",
         "my.rv:3:9: error: \",\", expected a name\n"
         "    3 |   map W,, U\n"
         "      |         ^\n"},
    });
}

} // namespace
