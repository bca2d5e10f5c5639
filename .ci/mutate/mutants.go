package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// active stands for whether the mutant is the one to run, and these make what
// follows them false then, or true.
const (
	active = "\x00"
	and    = "(!" + active + " && ("
	or     = "(" + active + " || ("
)

// walk adds the mutants of a declaration.
func (f *finder) walk(decl ast.Decl) {
	results := [][]string{} // of the functions around, the innermost last
	var nodes []ast.Node
	ast.Inspect(decl, func(n ast.Node) bool {
		if n == nil {
			if signature(nodes[len(nodes)-1]) != nil {
				results = results[:len(results)-1]
			}
			nodes = nodes[:len(nodes)-1]
			return true
		}
		nodes = append(nodes, n)
		if t := signature(n); t != nil {
			results = append(results, resultTypes(t))
		}
		if r, ok := n.(*ast.ReturnStmt); ok {
			f.results(r, results[len(results)-1])
		}
		f.node(n)
		return true
	})
}

// signature returns the type of the function that n is, if it is one.
func signature(n ast.Node) *ast.FuncType {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Type
	case *ast.FuncLit:
		return n.Type
	}
	return nil
}

// resultTypes returns the names of the types of the results, "" for others.
func resultTypes(t *ast.FuncType) []string {
	var types []string
	if t.Results == nil {
		return nil
	}
	for _, field := range t.Results.List {
		name := ""
		if ident, ok := field.Type.(*ast.Ident); ok {
			name = ident.Name
		}
		for range max(1, len(field.Names)) {
			types = append(types, name)
		}
	}
	return types
}

func (f *finder) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
		f.initial(n.Init)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.wrap(n.Cond, and, "))", "false")
		}
	case *ast.SwitchStmt:
		f.initial(n.Init)
		f.clauses(n.Body, n.Tag)
	case *ast.TypeSwitchStmt:
		f.others(n.Body)
	case *ast.SelectStmt:
		f.others(n.Body)
	case *ast.FuncDecl:
		f.body(n.Body)
	case *ast.FuncLit:
		f.body(n.Body)
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.ValueSpec:
		f.limits(n)
	}
}

// condition makes a condition constant, except where a test that notices the
// loss of one operand notices that as well.
func (f *finder) condition(cond ast.Expr) {
	b, _ := cond.(*ast.BinaryExpr)
	if b == nil || b.Op != token.LOR {
		f.wrap(cond, and, "))", "false")
	}
	if b == nil || b.Op != token.LAND {
		f.wrap(cond, or, "))", "true")
	}
}

// initial takes an assignment out that stands before a condition.
func (f *finder) initial(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.IncDecStmt:
		f.replace(s.Pos(), s.End(), "", f.text(s.Pos(), s.End())+": deleted")
	case *ast.AssignStmt:
		if s.Tok == token.ASSIGN {
			blanks := strings.Repeat(", _", len(s.Lhs))[2:]
			f.replace(s.Pos(), s.TokPos, blanks+" ", f.text(s.Pos(), s.End())+": deleted")
		}
	}
}

// clauses takes the cases of a switch out, value by value.
func (f *finder) clauses(body *ast.BlockStmt, tag ast.Expr) {
	for _, s := range body.List {
		clause := s.(*ast.CaseClause)
		for _, value := range clause.List {
			before := and
			if tag != nil {
				before = "mutantCase(" + active + ", (" + f.text(tag.Pos(), tag.End()) + "), ("
			}
			f.wrap(value, before, "))", "case deleted")
		}
		if clause.List == nil && len(clause.Body) > 0 {
			f.replace(s.Pos(), s.End(), "", "default: deleted")
		}
	}
}

// others takes the clauses of a type switch or of a select out.
func (f *finder) others(body *ast.BlockStmt) {
	for _, s := range body.List {
		colon := s.End()
		switch clause := s.(type) {
		case *ast.CaseClause:
			colon = clause.Colon
		case *ast.CommClause:
			colon = clause.Colon
		}
		f.replace(s.Pos(), s.End(), "", f.text(s.Pos(), colon)+": deleted")
	}
}

// body takes the statements of a function out. The last return stays, or
// nothing would compile.
func (f *finder) body(body *ast.BlockStmt) {
	if body == nil {
		return
	}
	list := body.List
	if n := len(list); n > 0 {
		if _, ok := list[n-1].(*ast.ReturnStmt); ok {
			list = list[:n-1]
		}
	}
	f.statements(list)
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.IfStmt:
			f.branch(n.Body.List, n.Else == nil)
			if last, ok := n.Else.(*ast.BlockStmt); ok {
				f.statements(last.List)
			}
		case *ast.ForStmt:
			f.statements(n.Body.List)
		case *ast.RangeStmt:
			f.statements(n.Body.List)
		case *ast.CaseClause:
			f.branch(n.Body, true)
		case *ast.CommClause:
			f.branch(n.Body, false)
		}
		return true
	})
}

// branch takes the statements of a branch out. Where there is one alone, that
// is the same as if the branch were not taken, and the condition sees to that.
func (f *finder) branch(list []ast.Stmt, alone bool) {
	if len(list) > 1 || !alone {
		f.statements(list)
	}
}

func (f *finder) statements(list []ast.Stmt) {
	for i, s := range list {
		switch s := s.(type) {
		case *ast.ReturnStmt, *ast.BranchStmt:
			if i == 0 {
				continue // as above
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt:
		default:
			continue
		}
		f.wrap(s, "if !"+active+" { ", " }", "deleted")
	}
}

// results turns the booleans and the errors that are returned into others.
func (f *finder) results(r *ast.ReturnStmt, types []string) {
	if len(r.Results) != len(types) {
		return
	}
	for i, value := range r.Results {
		text := f.text(value.Pos(), value.End())
		switch {
		case text == "true" || text == "false":
			f.wrap(value, "("+active+" != ", ")", "not "+text)
		case types[i] == "bool":
			f.condition(value)
		case types[i] == "error" && text != "nil":
			f.wrap(value, "func() error { if e := error(",
				"); !"+active+" { return e }; return nil }()", "returned as nil")
		}
	}
}

// binary takes the operands of && and || out and moves boundaries. It leaves ==
// and != alone: a test that notices the whole comparison being true, or false,
// notices the other operator too.
func (f *finder) binary(b *ast.BinaryExpr) {
	equal := f.text(b.X.Pos(), b.X.End()) + " == " + f.text(b.Y.Pos(), b.Y.End())
	switch b.Op {
	case token.LAND:
		f.operands(b, or)
	case token.LOR:
		f.operands(b, and)
	case token.LSS, token.GTR:
		f.wrap(b, "((", ") || "+active+" && "+equal+")", b.Op.String()+"=")
	case token.LEQ, token.GEQ:
		f.wrap(b, "((", ") && !("+active+" && "+equal+"))", b.Op.String()[:1])
	}
}

func (f *finder) operands(b *ast.BinaryExpr, before string) {
	for _, operand := range []ast.Expr{b.X, b.Y} {
		if inner, ok := operand.(*ast.BinaryExpr); !ok || inner.Op != b.Op {
			f.wrap(operand, before, "))", "dropped from "+b.Op.String())
		}
	}
}

// limits moves the numbers that are constants.
func (f *finder) limits(spec *ast.ValueSpec) {
	defer func(group string) { f.function = group }(f.function)
	for i, value := range spec.Values {
		f.function = spec.Names[min(i, len(spec.Names)-1)].Name
		number, duration := false, false
		ast.Inspect(value, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				number = number || n.Kind == token.INT
			case *ast.SelectorExpr:
				duration = true
			case *ast.CompositeLit, *ast.FuncLit, *ast.CallExpr:
				return false
			}
			return true
		})
		switch {
		case duration && number:
			f.wrap(value, "2*(", ")", "doubled")
		case number:
			f.wrap(value, "1+(", ")", "1 more")
		}
	}
}
